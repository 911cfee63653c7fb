//! What kind of text a file holds, by its name and first line.

/// The kinds of text that are read differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A shell script.
    Script,
    Makefile,
    /// Steps of CI in YAML.
    Workflow,
    /// Source code; how its comments begin.
    Program(&'static str),
    Yaml,
    /// `KEY=value`, INI, TOML: comments begin with `#`.
    Settings,
    /// No comments.
    Json,
    Markdown,
    Rest,
}

impl Shape {
    pub(super) fn of(path: &str, text: &str) -> Self {
        let lower = path.to_ascii_lowercase();
        let name = lower.rsplit('/').next().unwrap_or(&lower);
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        if name == ".env" || name.starts_with(".env.") || end == "env" {
            return Self::Settings;
        }
        if ["makefile", "gnumakefile", "justfile", ".justfile"].contains(&name)
            || end == "mk"
            || end == "just"
        {
            return Self::Makefile;
        }
        if is_workflow(&lower, name) {
            return Self::Workflow;
        }
        match end {
            "sh" | "bash" | "zsh" | "ksh" | "fish" | "ps1" | "bat" | "cmd" => Self::Script,
            "yml" | "yaml" => Self::Yaml,
            "json" | "jsonc" | "ipynb" | "lock" | "csv" | "html" | "svg" => Self::Json,
            "md" | "markdown" | "mdx" | "txt" | "adoc" => Self::Markdown,
            "rst" => Self::Rest,
            "toml" | "ini" | "cfg" | "conf" | "properties" | "service" => Self::Settings,
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "go" | "rs" | "java" | "c" | "cpp"
            | "h" | "kt" | "scss" | "css" | "groovy" => Self::Program("//"),
            "py" | "pyi" | "rb" | "pl" | "tf" | "r" => Self::Program("#"),
            "sql" | "lua" => Self::Program("--"),
            _ => Self::without_end(name, text),
        }
    }

    fn without_end(name: &str, text: &str) -> Self {
        let first = text.lines().next().unwrap_or_default();
        if let Some(program) = first.strip_prefix("#!") {
            return if program.contains("sh") && !program.contains("python") {
                Self::Script
            } else {
                Self::Program("#")
            };
        }
        match name {
            "jenkinsfile" => Self::Script,
            "procfile" => Self::Settings,
            // A Dockerfile's instructions run while an image is built.
            _ if name.contains("dockerfile") => Self::Program("#"),
            _ => Self::Markdown,
        }
    }

    /// Whether the file is worth reading whatever words it holds: a Compose file need not name itself.
    pub(super) fn matters_by_itself(self) -> bool {
        matches!(self, Self::Yaml)
    }
}

fn is_workflow(lower: &str, name: &str) -> bool {
    let yaml = name
        .rsplit_once('.')
        .is_some_and(|(_, end)| end == "yml" || end == "yaml");
    yaml && (lower.starts_with(".github/")
        || lower.contains("/.github/")
        || lower.starts_with(".circleci/")
        || lower.contains(".gitlab-ci")
        || lower.contains("azure-pipelines")
        || name.starts_with("taskfile")
        || name == ".pre-commit-config.yaml"
        || name == ".travis.yml"
        || name == "bitbucket-pipelines.yml")
}
