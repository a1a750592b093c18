//! Authenticator app, recovery codes, and the second factor that somebody asks for.

use http::StatusCode;

use super::{between, leads};
use crate::visit::House;

const PAGE: &str = "/account/authenticator";

#[tokio::test]
async fn an_app_is_set_up_with_a_drawing_or_by_hand_and_given_up_with_a_code() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    assert!(visit.get(PAGE).await.text().contains("Set it up"));
    let page = visit.submit(PAGE, &[]).await;
    let path = between(page.text(), "<path d=\"", "\"");
    assert!(path.starts_with("M4 4h7v1h-7z"), "the first finder pattern: {path}");
    let secret = between(page.text(), "<code class=\"secret\">", "</code>").to_owned();
    assert!(secret.len() >= 32 && secret.split(' ').all(|group| group.len() <= 4), "{secret}");
    let wrong = visit.submit("/account/authenticator/confirm", &[("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.text().contains("role=\"alert\""));
    assert!(!wrong.text().contains(&secret), "it is shown once");
    let code = house.code(&secret);
    let page = visit.submit("/account/authenticator/confirm", &[("code", &code)]).await;
    assert_eq!(page.text().matches("<li>").count(), 10, "{}", page.text());
    // What is there already is not made again.
    leads(&visit.submit(PAGE, &[]).await, PAGE);
    let page = visit.get(PAGE).await;
    assert!(page.text().contains("You have one") && !page.text().contains("<path"));

    let refused = visit.submit("/account/authenticator/remove", &[("code", "")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text());
    house.server.clock.advance(60);
    let code = house.code(&secret);
    leads(&visit.submit("/account/authenticator/remove", &[("code", &code)]).await, PAGE);
    assert!(visit.get(PAGE).await.text().contains("Set it up"));
    leads(&visit.get("/account/recovery-codes").await, PAGE);
    house.server.stop().await;
}

#[tokio::test]
async fn recovery_codes_are_made_anew_and_shown_once() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    let (secret, first) = visit.set_up_app(&house).await;
    house.server.clock.advance(60);
    let code = house.code(&secret);
    let page = visit.submit("/account/recovery-codes", &[("code", &code)]).await;
    assert_eq!(page.text().matches("<li>").count(), 10, "{}", page.text());
    let second = between(page.text(), "<li>", "</li>").to_owned();
    assert!(!first.contains(&second) && !page.text().contains(&first[0]));
    for path in ["/account", "/account/recovery-codes", PAGE] {
        assert!(!visit.get(path).await.text().contains(&second), "{path}");
    }
    // The old ones are worth nothing, a new one is good once.
    leads(&visit.submit("/account/second-factor", &[("method", "totp")]).await, "/account");
    let visit = house.signed_in().await;
    let give = async |code: &str| {
        let fields = [("kind", "recovery"), ("code", code), ("continue", PAGE)];
        visit.submit("/login/confirm/code", &fields).await
    };
    assert_eq!(give(&first[0]).await.status, StatusCode::BAD_REQUEST);
    leads(&give(&second).await, PAGE);
    // Somebody who lost the app gives it up: the recovery code stood in for it.
    leads(&visit.submit("/account/authenticator/remove", &[]).await, PAGE);
    assert!(visit.get("/account").await.text().contains("Asked for where an organization does"));
    house.server.stop().await;
}

#[tokio::test]
async fn a_second_factor_that_would_lock_its_owner_out_is_refused() {
    let house = House::new().await;
    let visit = house.signed_in().await;
    let page = visit.get("/account/second-factor").await;
    assert_eq!(page.text().matches(" disabled").count(), 3, "{}", page.text());
    for method in ["totp", "email", "canary"] {
        let answer = visit.submit("/account/second-factor", &[("method", method)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{method}");
        assert!(answer.text().contains("This second factor "), "{}", answer.text());
        assert!(!answer.text().contains("canary"));
    }
    let page = visit.get("/account/second-factor").await;
    assert!(page.text().contains("value=\"none\" required checked"), "{}", page.text());
    visit.set_up_app(&house).await;
    leads(&visit.submit("/account/second-factor", &[("method", "totp")]).await, "/account");
    let page = visit.get("/account").await;
    assert!(page.text().contains("a code of your authenticator app"), "{}", page.text());
    house.server.stop().await;
}
