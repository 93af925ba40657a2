//! Tests out of modules: each name becomes a test that runs the module of that name for every response type given.
macro_rules! modules {
    ($kinds:expr, $mode:expr => $($module:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $module() {
            let f = fixtures().await;
            crate::protocol::family::each(&f, &$kinds, $mode, crate::protocol::family::$module).await;
        }
    )+};
}
pub(super) use modules;
