//! The audit chain: every committed record in it, in order, and no change unnoticed.

use kms_store::{
    Store,
    audit::{self, AuditFilter, NewAuditRecord},
};
use uuid::Uuid;

use crate::engine::hash;

fn record(org: Uuid, event: &'static str) -> NewAuditRecord {
    NewAuditRecord {
        org_id: org,
        id: Uuid::now_v7(),
        created_at: 1_000,
        project_id: None,
        actor_type: "identity",
        actor_id: Some(Uuid::from_u128(7)),
        actor_metadata: "{}".into(),
        event_type: event,
        event_metadata: r#"{"n":1}"#.into(),
        environment: Some("dev".into()),
        secret_path: Some("/a".into()),
        secret_key: None,
        ip: Some("192.0.2.1".into()),
        user_agent: None,
        user_agent_type: "cli",
    }
}

/// The first link of the chain that is not what its record says, or how many there are.
async fn verify(store: &Store, org: Uuid) -> Result<i64, i64> {
    let mut previous = [0; 32];
    let rows = audit::chain(store, org.into(), 0, 10_000).await.unwrap();
    for (place, row) in (1..).zip(&rows) {
        previous = hash(&previous, &row.canonical());
        if row.seq != place || row.chain != previous {
            return Err(place);
        }
    }
    let head = audit::head(store, org.into()).await.unwrap().unwrap();
    assert_eq!((head.seq, head.hash), (rows.len().try_into().unwrap(), previous.to_vec()));
    Ok(head.seq)
}

async fn write(store: &Store, records: Vec<NewAuditRecord>) {
    let mut tx = store.begin().await.unwrap();
    for record in records {
        tx.audit(record);
    }
    tx.commit().await.unwrap();
}

pub(crate) async fn records_form_one_unbroken_chain_for_each_organization(store: &Store) {
    let orgs = [Uuid::now_v7(), Uuid::now_v7()];
    let writers = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            for count in 0..10 {
                let many = if count == 0 { 70 } else { 1 };
                let both = (0..many).flat_map(|_| orgs.map(|org| record(org, "get-secrets")));
                write(&store, both.collect()).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    for org in orgs {
        assert_eq!(verify(store, org).await, Ok(8 * 79));
    }
}

pub(crate) async fn groups_of_every_size_are_whole(store: &Store) {
    for size in [1, 3, 4, 5, 15, 16, 17, 63, 64, 65, 85, 149] {
        let org = Uuid::now_v7();
        write(store, (0..size).map(|_| record(org, "get-secrets")).collect()).await;
        assert_eq!(verify(store, org).await, Ok(size), "{size}");
    }
}

pub(crate) async fn a_record_of_a_dropped_write_is_not_in_the_chain(store: &Store) {
    let org = Uuid::now_v7();
    let mut tx = store.begin().await.unwrap();
    tx.audit(record(org, "create-secret"));
    drop(tx);
    write(store, vec![record(org, "get-secret")]).await;
    assert_eq!(verify(store, org).await, Ok(1));
}

pub(crate) async fn a_changed_record_breaks_its_chain(store: &Store) {
    let org = Uuid::now_v7();
    write(store, (0..5).map(|_| record(org, "get-secret")).collect()).await;
    let mut tx = store.begin().await.unwrap();
    tx.execute("UPDATE audit_logs SET ip = '198.51.100.9' WHERE org_id = $1 AND seq = 3", (org,))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(verify(store, org).await, Err(3));
}

pub(crate) async fn filters_narrow_the_log(store: &Store) {
    let org = Uuid::now_v7();
    write(store, vec![record(org, "get-secret"), record(org, "create-secret")]).await;
    let all = AuditFilter {
        org_id: org.into(),
        project_id: None,
        environment: None,
        secret_path: None,
        secret_key: None,
        event_types: None,
        actor_type: None,
        actor_id: None,
        from: 0,
        to: i64::MAX,
        offset: 0,
        limit: 10,
    };
    let count = async |filter: AuditFilter| audit::list(store, &filter).await.unwrap().len();
    assert_eq!(count(all.clone()).await, 2);
    let one = AuditFilter { event_types: Some(",create-secret,".into()), ..all.clone() };
    assert_eq!(count(one).await, 1);
    assert_eq!(count(AuditFilter { environment: Some("prod".into()), ..all.clone() }).await, 0);
    assert_eq!(count(AuditFilter { actor_id: Some(Uuid::from_u128(8)), ..all.clone() }).await, 0);
    assert_eq!(count(AuditFilter { from: 1_001, ..all.clone() }).await, 0);
    assert_eq!(count(AuditFilter { org_id: Uuid::now_v7().into(), ..all }).await, 0);
}
