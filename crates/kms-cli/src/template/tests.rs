use serde_json::json;

use super::*;

const CANARY: &str = "canary-7c1e9a";

/// Answers every list with two secrets, the second of which holds what was asked.
struct Fake;

impl Source for Fake {
    fn list(&self, asked: Asked<'_>) -> Result<Vec<Secret>, CliError> {
        if asked.environment == "closed" {
            return Err(CliError::denied("not allowed"));
        }
        let id = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
        let secret = |name: &str, value: String| {
            let body = json!({
                "id": id, "_id": id, "workspace": id, "environment": asked.environment,
                "version": 1, "type": "shared", "secretKey": name, "secretValue": value,
                "secretPath": asked.path, "secretComment": "about",
            });
            serde_json::from_value(body).unwrap()
        };
        Ok(vec![secret("A", CANARY.into()), secret("B", format!("{asked:?}"))])
    }
}

fn rendered(template: &str) -> String {
    match render(template, &Fake) {
        Ok(text) => text.to_string(),
        Err(error) => panic!("{template}: {}", said(&error)),
    }
}

fn said(error: &CliError) -> String {
    error.chain().collect::<Vec<_>>().join(": ")
}

fn refused(template: &str) -> String {
    said(&render(template, &Fake).map(|_| ()).unwrap_err())
}

#[test]
fn documented_templates_of_the_compatible_client_work() {
    let listed = "{{- with secret \"id\" \"dev\" \"/app\" }}\n{{- range . }}\n{{ .Key }}={{ .Value }}\n{{- end }}\n{{- end }}\n";
    let expected = format!("\nA={CANARY}\nB=");
    assert!(rendered(listed).starts_with(&expected), "{}", rendered(listed));
    let options = "{{ range $at, $it := listSecrets \"id\" \"dev\" \"/\" `{\"recursive\": true, \"expandSecretReferences\": false}` }}{{ $at }}{{ $it.Key }}{{ if eq $it.Key \"B\" }}{{ $it.Value }}{{ end }}{{ end }}";
    let text = rendered(options);
    assert!(text.starts_with("0A1B"), "{text}");
    assert!(text.contains("recursive: true") && text.contains("expand: false"), "{text}");
    let by_slug =
        "{{ with listSecretsByProjectSlug \"web\" \"dev\" \"/\" }}{{ (index . 1).Value }}{{ end }}";
    assert!(rendered(by_slug).contains("Slug(\"web\")"));
    let one = "{{ with getSecretByName \"id\" \"dev\" \"/\" \"A\" }}{{ .Key }}: {{ .Value | b64enc }}{{ end }}";
    assert_eq!(rendered(one), "A: Y2FuYXJ5LTdjMWU5YQ==");
}

#[test]
fn actions_follow_go() {
    for (template, expected) in [
        ("a {{- /* comment */ -}} b", "ab"),
        ("a {{- 1 -}} b", "a1b"),
        ("{{ 3 }} {{ -3 }} {{ true }} {{ nil }}", "3 -3 true <no value>"),
        ("{{ if false }}x{{ else if 0 }}y{{ else }}z{{ end }}", "z"),
        ("{{ with \"\" }}x{{ else }}empty{{ end }}", "empty"),
        ("{{ range list }}x{{ else }}none{{ end }}", "none"),
        ("{{ range $k, $v := dict \"b\" 1 \"a\" 2 }}{{ $k }}{{ $v }}{{ end }}", "a2b1"),
        ("{{ $n := 1 }}{{ if true }}{{ $n = 2 }}{{ end }}{{ $n }}", "2"),
        ("{{ with $x := \"a\" }}{{ $x }}{{ . }}{{ end }}", "aa"),
        ("{{ list 1 \"a\" }}{{ dict \"k\" \"v\" }}", "[1 a]map[k:v]"),
        ("{{ and 1 0 }}{{ or \"\" \"b\" }}{{ not true }}", "0bfalse"),
        ("{{ eq 1 2 1 }}{{ ne 1 2 }}{{ lt \"a\" \"b\" }}{{ ge 2 2 }}", "truetruetruetrue"),
        ("{{ len \"abc\" }}{{ len (list 1 2) }}", "32"),
        ("{{ printf \"%s-%d-%q-%v%%\" \"a\" 1 \"b\\\"\" true }}", "a-1-\"b\\\"\"-true%"),
        ("{{ print \"a\" 1 }}{{ println \"b\" 2 }}", "a1b 2\n"),
        ("{{ \"a,b\" | splitList \",\" | join \"+\" | upper | quote }}", "\"A+B\""),
        ("{{ \"\" | default \"d\" }}{{ ternary \"y\" \"n\" true }}{{ coalesce 0 \"\" 7 }}", "dy7"),
        ("{{ \"a\\nb\" | nindent 2 }}", "\n  a\n  b"),
        ("{{ \"aXb\" | replace \"X\" \"-\" }}{{ repeat 2 \"ab\" }}", "a-babab"),
        ("{{ trimPrefix \"a\" \"abc\" }}{{ hasSuffix \"c\" \"abc\" }}", "bctrue"),
        ("{{ dict \"k\" (list 1 \"x\") | toJson }}{{ \"eA==\" | b64dec }}", "{\"k\":[1,\"x\"]}x"),
        ("{{ (index (list 5 6) 1) }}", "6"),
        ("no action }} here", "no action }} here"),
    ] {
        assert_eq!(rendered(template), expected, "{template}");
    }
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (template, text) in [
        ("a\n {{ nope }}", "line 2, column 5: there is no function `nope`"),
        ("{{ if true }}", "line 1, column 1: this `if` has no `end`"),
        ("{{ end }}", "there is no block that this ends"),
        ("{{ \"a", "this text has no closing quote"),
        ("{{ 1", "this action has no `}}`"),
        ("{{ $x }}", "there is no variable `$x`"),
        ("{{ 1 2 }}", "only a function takes arguments"),
        ("{{ define \"x\" }}{{ end }}", "there is no block that this ends"),
        ("{{ range 1 }}{{ end }}", "a loop cannot go over a number"),
        ("{{ else }}", "there is no block"),
        ("{{ if 1 }}{{ else }}{{ else }}{{ end }}", "there is an `else` already"),
        ("{{ secret \"a\" \"b\" }}", "takes a project, an environment and a path"),
        ("{{ env \"HOME\" }}", "there is no function `env`"),
        ("{{ \"a\"\"b\" }}", "a blank is missing before this"),
    ] {
        assert!(refused(template).contains(text), "{template}: {}", refused(template));
    }
    let closed = refused("\n{{ secret \"id\" \"closed\" \"/\" }}");
    assert_eq!(closed, "line 2 of the template: not allowed");
}

#[test]
fn r6_no_error_holds_a_value() {
    for inner in [
        ".Value.Nope",
        "printf .Value 1",
        "b64dec .Value",
        "index .Value 1",
        "lt .Value 1",
        "len 1 .Value",
        "indent .Value .Value",
        "secret .Value",
        "getSecretByName .Value .Value .Value .Value .Value",
        "listSecrets \"id\" \"dev\" \"/\" .Value",
        "splitList 1 .Value",
        "replace .Value",
        "ternary .Value",
        ".Key .Value",
    ] {
        let template =
            format!("{{{{ range secret \"id\" \"dev\" \"/\" }}}}{{{{ {inner} }}}}{{{{ end }}}}");
        let error = render(&template, &Fake).map(|_| ()).unwrap_err();
        let text = format!("{} {error:?}", said(&error));
        assert!(!text.contains(CANARY), "{template}: {text}");
    }
}

#[test]
fn r6_no_error_holds_a_name_that_was_computed() {
    for inner in [
        "(dict .Value 1).nope",
        "(dict .Value 1 \"b\" 2).nope",
        "getSecretByName \"id\" \"dev\" \"/\" .Value",
    ] {
        let template =
            format!("{{{{ range secret \"id\" \"dev\" \"/\" }}}}{{{{ {inner} }}}}{{{{ end }}}}");
        let error = render(&template, &Fake).map(|_| ()).unwrap_err();
        let text = format!("{} {error:?}", said(&error));
        assert!(!text.contains(CANARY), "{template}: {text}");
    }
    let misspelt = refused("{{ (index (secret \"id\" \"dev\" \"/\") 0).Valeu }}");
    assert!(
        misspelt.contains("no field `.Valeu`; there are `.Comment`, `.ID`, `.Key`"),
        "{misspelt}"
    );
}

/// What a template of a hostile repository makes is bounded, however it is made.
#[test]
fn r6_a_template_cannot_take_all_memory() {
    let doubled = |double: &str| {
        format!("{{{{ $a := \"xxxxxxxx\" }}}}{}", format!("{{{{ $a = {double} }}}}").repeat(40))
    };
    for template in [
        doubled("printf \"%s%s\" $a $a"),
        doubled("print $a $a"),
        doubled("println $a $a"),
        doubled("join \"\" (list $a $a)"),
        doubled("printf \"%q\" $a | quote"),
        doubled("list $a $a"),
        doubled("dict \"a\" $a \"b\" $a"),
        "{{ $a := repeat 8000000 \"x\" }}{{ replace \"x\" $a $a }}".to_owned(),
        "{{ $a := repeat 1000000 \"x\" }}{{ join $a (splitList \"\" $a) }}".to_owned(),
        "{{ $a := repeat 1000000 \"x\" }}{{ range splitList \"\" $a }}\
         {{ if contains $a \"y\" }}{{ end }}{{ end }}"
            .to_owned(),
    ] {
        let refused = refused(&template);
        let texts = ["makes too long a text", "makes too much of what it reads"];
        assert!(texts.iter().any(|text| refused.contains(text)), "{template}: {refused}");
    }
}

#[test]
fn r6_a_template_cannot_fill_the_stack() {
    for grow in ["list $a", "dict \"k\" $a"] {
        let template = format!(
            "{{{{ $a := 1 }}}}{{{{ range splitList \"\" (repeat 60000 \"x\") }}}}\
             {{{{ $a = {grow} }}}}{{{{ end }}}}"
        );
        assert!(refused(&template).contains("too deep in each other"), "{}", refused(&template));
    }
}

#[test]
fn r6_a_loop_without_a_body_ends() {
    let items = "{{ $l := splitList \"\" (repeat 2000 \"x\") }}";
    let template = format!("{items}{}{}", "{{ range $l }}".repeat(3), "{{ end }}".repeat(3));
    assert!(refused(&template).contains("goes on for too long"));
}

#[test]
fn what_goes_on_for_too_long_ends() {
    let loops = 7;
    let many = format!("{{{{ $l := list {} }}}}", "1 ".repeat(10));
    let template =
        format!("{many}{}x{}", "{{ range $l }}".repeat(loops), "{{ end }}".repeat(loops));
    assert!(refused(&template).contains("goes on for too long"));
    let deep = format!("{{{{ {}1{} }}}}", "(".repeat(1_000), ")".repeat(1_000));
    assert!(refused(&deep).contains("too deep"));
    let deep = "{{ if true }}".repeat(1_000) + &"{{ end }}".repeat(1_000);
    assert!(refused(&deep).contains("too deep"));
    assert!(refused("{{ repeat 100000000 \"abc\" }}").contains("too long a text"));
}
