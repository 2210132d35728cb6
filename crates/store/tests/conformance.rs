//! The embedded engine is one: the suite of every engine, run against it in a file and in memory.

mod common;

mod in_a_file {
    use crate::common::Scratch;
    use std::sync::Arc;
    use store::{Sqlite, Store};

    fn opener() -> impl Fn() -> Arc<dyn Store> {
        let scratch = Scratch::new();
        move || Arc::new(Sqlite::open(&scratch.path().join("odeon.sqlite")).unwrap())
    }

    store::conformance!(super::opener);
}

mod in_memory {
    use std::sync::Arc;
    use store::{Sqlite, Store};

    fn opener() -> impl Fn() -> Arc<dyn Store> {
        || Arc::new(Sqlite::in_memory().unwrap())
    }

    store::conformance!(in memory super::opener);
}
