//! Gives the sessions of the gateway their tokens: one for each target, kept while it is fresh, and
//! made when a session needs one. Sessions that wait for the same token get the same answer.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use tokio::sync::{Mutex, oneshot};
use tokio::time::Instant;

use crate::error::{Error, Result};
use crate::time::Time;
use crate::token::{Token, TokenAge};

/// A token that a session waits for, sent to the thread that issues tokens.
pub(crate) struct TokenRequest {
    /// The position of the target.
    pub(crate) target: usize,
    pub(crate) need: TokenNeed,
    pub(crate) answer: oneshot::Sender<Result<TokenReply>>,
}

/// Which token serves a session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenNeed {
    /// A fresh one, also from the cache.
    Fresh,
    /// A new one: the server has refused the one of the cache.
    New,
}

/// The answer to a request.
pub(crate) struct TokenReply {
    pub(crate) token: Token,
    /// It was made for this request, and not taken from the cache.
    pub(crate) is_new: bool,
}

/// The token of one target.
pub(super) struct TargetTokenClient {
    target: usize,
    requests: Sender<TokenRequest>,
    last: Mutex<LastReply>,
}

#[derive(Default)]
struct LastReply {
    token: Option<Arc<Token>>,
    /// The last failure, and when it came.
    failure: Option<(Instant, Error)>,
}

/// A token, and whether it was made for the session that has asked.
pub(super) struct HandedToken {
    pub(super) token: Arc<Token>,
    pub(super) is_new: bool,
}

impl TargetTokenClient {
    pub(super) fn new(target: usize, requests: Sender<TokenRequest>) -> Self {
        Self {
            target,
            requests,
            last: Mutex::default(),
        }
    }

    /// Returns a fresh token.
    pub(super) async fn fresh(&self) -> Result<HandedToken> {
        let will_do = |token: &Arc<Token>| token.age(Time::now()) == TokenAge::Fresh;
        self.get(will_do, TokenNeed::Fresh).await
    }

    /// Returns another token than this one, which the server has refused.
    pub(super) async fn other_than(&self, refused: &Arc<Token>) -> Result<HandedToken> {
        let will_do = |token: &Arc<Token>| !Arc::ptr_eq(token, refused);
        self.get(will_do, TokenNeed::New).await
    }

    /// Returns the token that is kept if it will do, and else a new one. A session that has waited
    /// for the answer to another's request takes that answer, also if it is a failure.
    async fn get(
        &self,
        will_do: impl Fn(&Arc<Token>) -> bool,
        need: TokenNeed,
    ) -> Result<HandedToken> {
        let started = Instant::now();
        let mut last = self.last.lock().await;
        if let Some(token) = &last.token
            && will_do(token)
        {
            return Ok(HandedToken {
                token: Arc::clone(token),
                is_new: false,
            });
        }
        if let Some((failed_at, error)) = &last.failure
            && *failed_at >= started
        {
            return Err(error.clone());
        }
        match self.ask(need).await {
            Ok(reply) => {
                let token = Arc::new(reply.token);
                last.token = Some(Arc::clone(&token));
                Ok(HandedToken {
                    token,
                    is_new: reply.is_new,
                })
            }
            Err(error) => {
                last.failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn ask(&self, need: TokenNeed) -> Result<TokenReply> {
        let (answer, reply) = oneshot::channel();
        let request = TokenRequest {
            target: self.target,
            need,
            answer,
        };
        let stopping =
            || Error::failure("the gateway is stopping").hint("run `pgcred proxy` again");
        if self.requests.send(request).is_err() {
            return Err(stopping());
        }
        match reply.await {
            Ok(result) => result,
            Err(_) => Err(stopping()),
        }
    }
}
