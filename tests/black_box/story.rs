//! The story that the sandbox tells is true: each of its chapters checks what it tells.

#[tokio::test]
async fn a_day_in_the_life_of_a_key_goes_as_it_is_told() {
    let binary = env!("CARGO_BIN_EXE_exchange-key-rotation").into();
    sandbox::story::tell_of(binary, false).await.unwrap();
}
