//! The story that the sandbox tells is true: each of its chapters checks what it tells.

use sandbox::local::Venue;

async fn is_true(venue: Venue) {
    let binary = env!("CARGO_BIN_EXE_exchange-key-rotation").into();
    sandbox::story::tell_of(venue, binary, false).await.unwrap();
}

#[tokio::test]
async fn a_day_in_the_life_of_a_key_goes_as_it_is_told() {
    is_true(Venue::Bybit).await;
}

#[tokio::test]
async fn a_day_in_the_life_of_a_key_of_okx_goes_as_it_is_told() {
    is_true(Venue::Okx).await;
}
