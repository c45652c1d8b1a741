use std::path::PathBuf;
use std::time::Duration;

use super::*;

/// A file of the test's own.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("portico-config-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn read(name: &str, text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let file = File::new(name, text);
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load_with_env(&file.0, true, env)
}

#[test]
fn a_fleet_is_read_with_its_defaults() {
    let text = r#"
        [limits]
        answer_s = 1.5
        [[upstreams]]
        id = "gpu1"
        url = "http://gpu1:8000/v1"
        api_key = { env = "GPU1_KEY" }
        [[models]]
        id = "large"
        aliases = ["gpt-4o"]
        endpoints = [{ upstream = "gpu1", model = "org/Large", weight = 3 }, { model = "smollm2" }]
    "#;
    let config = read("fleet", text, &[]).unwrap();
    assert_eq!(config.limits.answer, Duration::from_millis(1500));
    let upstream = config.upstreams[0].get_ref();
    assert_eq!(upstream.api_key, Some(Secret::Env("GPU1_KEY".into())));
    assert_eq!((upstream.connect, upstream.health_path.as_str()), (five(), "/models"));
    let endpoints = &config.models[0].get_ref().endpoints;
    assert_eq!((endpoints[0].weight, endpoints[1].weight), (3, 1));
    assert_eq!(config.access.page, WhenLoopback::Loopback);
}

fn five() -> Duration {
    Duration::from_secs(5)
}

#[test]
fn the_environment_stands_over_the_file() {
    let text = "[server]\naddr = \"127.0.0.1:1\"\n[access]\npage = false\n";
    let env = [
        ("PORTICO_SERVER_ADDR", "0.0.0.0:2"),
        ("PORTICO_ACCESS_PAGE", "true"),
        ("PORTICO_LIMITS_MAX_BATCH", "7"),
        ("PORTICO_LIMITS_ANSWER_S", "0.5"),
        ("PORTICO_MODELS_CACHE", "/somewhere"),
        ("OTHER", "x"),
    ];
    let config = read("env", text, &env).unwrap();
    assert_eq!(config.server.addr.to_string(), "0.0.0.0:2");
    assert_eq!(config.access.page, WhenLoopback::Always(true));
    assert_eq!((config.limits.max_batch, config.limits.answer.as_millis()), (7, 500));
}

#[test]
fn faults_are_named_with_their_line() {
    #[track_caller]
    fn check(name: &str, text: &str, line: usize, word: &str) {
        match read(name, text, &[]) {
            Err(ConfigError::Faulty { line: at, reason, .. }) => {
                assert_eq!(at, line, "{reason}");
                assert!(reason.contains(word), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
    check("syntax", "[server]\naddr = \n", 2, "");
    check("type", "\n[limits]\nmax_batch = \"many\"\n", 3, "invalid type");
    check("unknown", "[limits]\n\nmax_bach = 3\n", 3, "unknown field");
    check("range", "[limits]\nanswer_s = -1\n", 2, "between 0");
    check("zero", "[limits]\n# none\nmax_batch = 0\n", 3, "at least 1");
    check("address", "[server]\naddr = \"nowhere\"\n", 2, "socket address");
    let upstream = "[[upstreams]]\nid = \"a\"\nurl = \"http://a/v1\"\n";
    check("taken", &format!("{upstream}{upstream}"), 4, "taken");
    check("secret", &upstream.replace("//a", "//a:b@c"), 3, "password");
    let files = |rest: &str| format!("[server]\n[files]\nstore = \"s3\"\n{rest}\n");
    check("no-bucket", &files(""), 3, "`bucket`");
    check("bucket", &files("bucket = \"Not one\""), 4, "bucket");
    check("prefix", &files("bucket = \"house\"\nprefix = \"/a/../b\""), 5, "prefix");
    check("endpoint", &files("bucket = \"house\"\nendpoint = \"s3:9000\""), 5, "http");
    check("store", "[files]\n\nstore = \"tape\"\n", 3, "`tape`");
    check("no-secret", &files("secret_key = \"hunter2\""), 4, "");
    let model = |endpoint: &str| format!("\n[[models]]\nid = \"m\"\nendpoints = [{endpoint}]\n");
    check("none", &model(""), 2, "at least one endpoint");
    check("unknown-upstream", &model("{ upstream = \"b\" }"), 2, "`b`");
}

#[test]
fn a_faulty_variable_is_named() {
    let error = read("variable", "", &[("PORTICO_LIMITS_MAX_BATCH", "many")]).unwrap_err();
    assert!(error.to_string().contains("PORTICO_LIMITS_MAX_BATCH"), "{error}");
    let error = read("variable2", "", &[("PORTICO_SERVER_ADR", "x")]).unwrap_err();
    assert!(error.to_string().contains("PORTICO_SERVER_ADR"), "{error}");
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let absent = PathBuf::from("no-such-folder/portico.toml");
    assert!(load_with_env(&absent, false, []).is_ok());
    let error = load_with_env(&absent, true, []).unwrap_err();
    assert!(error.to_string().contains("no-such-folder"), "{error}");
}

#[test]
fn what_the_documents_show_can_be_read() {
    let pages = include_str!("../../../docs/configuration.md").split("```toml\n").skip(1);
    let blocks = pages.map(|rest| rest.split("```").next().unwrap());
    let deploy = include_str!("../../../docs/deploy/portico.toml");
    let mut n = 0;
    for block in blocks.chain([deploy]) {
        n += 1;
        // Also what is commented out, as far as it is a setting.
        let with_comments: String = block
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = ")).unwrap_or(line))
            .flat_map(|line| [line, "\n"])
            .collect();
        for text in [block, &with_comments] {
            if let Err(error) = read(&format!("docs-{n}"), text, &[]) {
                panic!("{error}\n{text}");
            }
        }
    }
    assert_eq!(n, 4);
    let config = read(
        "docs-defaults",
        include_str!("../../../docs/configuration.md")
            .split("```toml\n")
            .nth(1)
            .unwrap()
            .split("```")
            .next()
            .unwrap(),
        &[],
    )
    .unwrap();
    let default = Config::default();
    assert_eq!(format!("{:?}", config.limits), format!("{:?}", default.limits));
    assert_eq!(format!("{:?}", config.server), format!("{:?}", default.server));
    assert_eq!(format!("{:?}", config.access), format!("{:?}", default.access));
}

#[test]
fn a_device_that_this_program_was_built_without_is_named_with_its_line() {
    let fault = |device: &str| {
        let text = format!("[inference]\nmax_queue = 3\ndevice = \"{device}\"\n");
        read("device", &text, &[]).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(fault("cpu"), Ok(()));
    assert_eq!(fault("auto"), Ok(()));
    let unknown = fault("tpu").unwrap_err();
    assert!(unknown.contains("line 3") && unknown.contains("`tpu`"), "{unknown}");
    for (device, is_built) in [("cuda", cfg!(feature = "cuda")), ("metal", cfg!(feature = "metal"))]
    {
        match fault(device) {
            Ok(()) => assert!(is_built),
            Err(error) => {
                assert!(error.contains("line 3") && error.contains("--features"), "{error}");
            }
        }
    }
}
