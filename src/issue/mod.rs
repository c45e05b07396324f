//! Request to token: the cache where it will do, else one resolution of credentials for all who
//! wait and all that is due.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;

use crate::authority::{AskPolicy, Notes};
use crate::aws::identity::Identity;
use crate::aws::normal_region;
use crate::aws::sigv4;
use crate::aws::{Aws, Planned, SharedFiles};
use crate::cache::{Cache, EntryId, Failure, Index, Record, TokenLocation};
use crate::error::{Error, Exit, Reason, Result};
use crate::passfile::block::{Passfile, PassfileKey};
use crate::request::Request;
use crate::sys::fs::{self, Lock};
use crate::time::{Time, spoken};
use crate::token::{Age, Token};

/// How many other tokens a run renews at most, and how many other requests it looks at to find
/// them: who asked for one token must not wait for the tokens of ten thousand connections.
const MOST_RENEWED: usize = 64;
const MOST_LOOKED_AT: usize = 1_000;
/// Where the disk is slow, a run ends that work early. Builds for tests sign many times slower, and
/// go by the numbers alone.
const LONGEST_FOR_OTHERS: Duration = if cfg!(debug_assertions) {
    Duration::from_mins(1)
} else {
    Duration::from_millis(40)
};

/// A stale token is handed out when renewing fails, if it lasts this many seconds.
const LAST_SECONDS: u32 = 30;

/// What the caller wants beyond a token that is good now.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wish {
    /// Seconds that the token must last.
    pub(crate) min_valid: u32,
    /// Issue a new one, and do not wait out a back-off.
    pub(crate) fresh: bool,
    /// The caller files the token elsewhere: do not seal it into the cache.
    pub(crate) filed_elsewhere: bool,
}

pub(crate) struct Issued {
    id: EntryId,
    pub(crate) token: Token,
    pub(crate) region: String,
    pub(crate) cached: bool,
    /// The credentials end before the life that was asked for.
    pub(crate) cut_short: bool,
}

/// Issues tokens. Holds the lock of every identity that it asked AWS for until it is dropped;
/// callers with several identities ask in the order of [`Issuer::identity`], so that two of them
/// never wait for each other.
pub(crate) struct Issuer {
    ask: AskPolicy,
    cache: Option<Cache>,
    signers: HashMap<Option<String>, Signer>,
    /// AWS's files, read once for all of them.
    files: SharedFiles,
    /// When all of this run has to be over, and how many identities have not had their share of the
    /// time yet.
    deadline: Instant,
    to_ask: u32,
    began: Time,
    has_warned_about_cache: bool,
    /// What went wrong without costing the answer, and what was tried.
    pub(crate) notes: Notes,
}

/// A passfile, and what the index says of tokens.
pub(crate) struct Filed {
    index: Rc<Index>,
    passfile: Passfile,
}

impl Filed {
    /// When the token under a key was signed, and when it ends.
    pub(crate) fn times(&self, key: &PassfileKey) -> Option<(Option<Time>, Time)> {
        self.passfile.times(key)
    }
}

/// Whoever signs for a profile.
#[derive(Default)]
struct Signer {
    identity: Option<Rc<Identity>>,
    lock: Option<Lock>,
    /// The end of its share of the run's time.
    deadline: Option<Instant>,
    credentials: Option<Result<Credentials>>,
}

impl Issuer {
    pub(crate) fn new(ask: AskPolicy, cache: Option<Cache>) -> Self {
        let deadline = Instant::now() + ask.timeout;
        Self {
            ask,
            cache,
            signers: HashMap::new(),
            files: SharedFiles::default(),
            deadline,
            to_ask: 1,
            began: Time::now(),
            has_warned_about_cache: false,
            notes: Notes::default(),
        }
    }

    /// The cache, if there is one.
    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }

    /// Shares the time of this run between so many identities: one that hangs must not cost the
    /// others theirs.
    pub(crate) fn share_time(&mut self, identities: usize) {
        self.to_ask = u32::try_from(identities).unwrap_or(u32::MAX).max(1);
    }

    fn share(&mut self, profile: Option<&str>) -> Instant {
        let (now, to_ask) = (Instant::now(), self.to_ask.max(1));
        let share = self.deadline.saturating_duration_since(now) / to_ask;
        let signer = self.signer(profile);
        if let Some(deadline) = signer.deadline {
            return deadline;
        }
        signer.deadline = Some(now + share);
        self.to_ask = to_ask - 1;
        now + share
    }

    pub(crate) fn take_cache(&mut self) -> Option<Cache> {
        self.cache.take()
    }

    /// Gives back what [`Issuer::take_cache`] took.
    pub(crate) fn put_cache(&mut self, cache: Cache) {
        self.cache = Some(cache);
    }

    pub(crate) fn identity(&mut self, profile: Option<&str>) -> Rc<Identity> {
        let files = self.files.clone();
        let read = || Rc::new(Identity::of(profile, &files));
        Rc::clone(self.signer(profile).identity.get_or_insert_with(read))
    }

    /// Looks again at the files that the identity of a profile rests on, for all profiles with this
    /// identity.
    fn look_again(&mut self, profile: Option<&str>) -> Rc<Identity> {
        let before = self.identity(profile);
        for identity in self
            .signers
            .values_mut()
            .filter_map(|signer| signer.identity.as_mut())
        {
            if *identity == before {
                *identity = Rc::new(identity.as_it_is_now());
            }
        }
        self.identity(profile)
    }

    /// Returns a fresh token from the cache, else a new one, else a stale one with a warning.
    ///
    /// `others` are requests that are renewed too if AWS has to be asked and they are due and of
    /// the same identity: as many as take no time that matters, so the first ones count. Each is
    /// made only when it is looked at.
    pub(crate) fn issue<Others: Iterator<Item = Request>>(
        &mut self,
        request: &Request,
        wish: Wish,
        others: impl FnOnce(&Index) -> Others,
    ) -> Result<Issued> {
        if self.cache.is_none() {
            return self
                .renew(request, &EntryId::default(), wish)
                .and_then(|issued| issued.check(wish, request));
        }
        let began = Time::now();
        let profile = request.profile.as_deref();
        let identity = self.identity(profile);
        let mut id = EntryId::of(request, &identity);
        let mut found = self.cached(request, &id, wish.least_age());
        if !found
            .as_ref()
            .is_some_and(|issued| issued.fits(wish, began))
            && self.lock(profile)
        {
            // Somebody may have been quicker, and may have logged in for that.
            id = EntryId::of(request, &self.look_again(profile));
            found = self.cached(request, &id, wish.least_age());
        }
        if let Some(issued) = found.filter(|issued| issued.fits(wish, began)) {
            return Ok(issued);
        }
        match self.renew(request, &id, wish) {
            Ok(mut issued) => {
                issued.id = EntryId::of(request, &self.identity(profile)); // another one after a login, or a renewal of one
                self.store(request, &issued, wish, others);
                issued.check(wish, request)
            }
            Err(error) => {
                let old = self
                    .cached(request, &id, Age::Stale)
                    .filter(|old| {
                        Time::now().until(old.token.expires_at) >= LAST_SECONDS.max(wish.min_valid)
                    })
                    // Who asks anew hears of a setting that has to be corrected, such as a profile
                    // that is not there.
                    .filter(|_| !(wish.fresh && error.exit() == Exit::Usage));
                let old = old.ok_or_else(|| error.clone())?;
                let left = spoken(Time::now().until(old.token.expires_at));
                self.notes.warnings.push(format!(
                    "{error}; the previous token is good for {left} more"
                ));
                Ok(old)
            }
        }
    }

    /// Keeps the requests whose token is not fresh, or does not stand in this passfile.
    pub(crate) fn retain_due(&mut self, requests: &mut Vec<Request>, path: &Path) {
        let Some(filed) = self
            .cache
            .as_ref()
            .and_then(|cache| Self::filed_in(path, cache))
        else {
            return;
        };
        requests.retain(|request| self.good_until(request, &filed).is_none());
    }

    /// Returns when `refresh` has something to do for this request: now, unless its token is fresh
    /// and stands in the passfile or a failure is waited out.
    pub(crate) fn due(&mut self, request: &Request, filed: Option<&Filed>) -> Time {
        let now = Time::now();
        let Some(filed) = filed else { return now };
        let identity = self.identity(request.profile.as_deref());
        let pause = || filed.index.pause(&identity);
        self.good_until(request, filed)
            .or_else(pause)
            .map_or(now, |due| due.max(now))
    }

    /// Returns when the first of these requests is due for this passfile; nothing where there is no
    /// request.
    pub(crate) fn first_due(&mut self, requests: &[Request], path: &Path) -> Option<Time> {
        let filed = self
            .cache
            .as_ref()
            .and_then(|cache| Self::filed_in(path, cache));
        requests
            .iter()
            .map(|request| self.due(request, filed.as_ref()))
            .min()
    }

    /// Reads what is known and what stands in a passfile.
    pub(crate) fn filed_in(path: &Path, cache: &Cache) -> Option<Filed> {
        let passfile = Passfile::parse(&fs::read(path).unwrap_or_default()).ok()?;
        Some(Filed {
            index: cache.index(),
            passfile,
        })
    }

    fn good_until(&mut self, request: &Request, filed: &Filed) -> Option<Time> {
        let identity = self.identity(request.profile.as_deref());
        let filed_as =
            |key: &PassfileKey, record: &Record| filed.passfile.token(key, record.expires_at);
        let is_filed = |key: &PassfileKey, record: &Record| {
            filed_as(key, record).is_some_and(|token| record.is_of(&token))
        };
        let stands = |record: &Record| request.keys().all(|key| is_filed(&key, record));
        let record = filed
            .index
            .records
            .get(EntryId::of(request, &identity).as_str());
        let fresh = record.filter(|record| record.age(Time::now()) == Age::Fresh && stands(record));
        fresh.map(Record::refresh_after).or_else(|| {
            let until = request
                .keys()
                .next()
                .and_then(|key| filed.passfile.times(&key))?
                .1;
            let ends_later = until >= Time::now().plus(request.life);
            let ours = ends_later
                && filed
                    .index
                    .of_any_life(request, &identity, until)
                    .any(stands);
            ours.then(|| Time::from_unix(until.unix() - i64::from(request.life)))
        })
    }

    /// Tells the index that tokens stand in a passfile now.
    pub(crate) fn filed(&mut self, path: &Path, tokens: &[(Request, Issued)]) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        // A token whose own line is another connection's is found in the cache.
        let new = tokens
            .iter()
            .filter(|(request, issued)| !issued.cached && request.owns_its_line());
        let mut records = Vec::new();
        for (request, issued) in new {
            let identity = self.identity(request.profile.as_deref());
            let record = issued.record(request, TokenLocation::Passfile(path.clone()), &identity);
            records.push((issued.id.as_str().to_owned(), record));
        }
        let known = self
            .cache
            .as_ref()
            .is_some_and(|cache| cache.index().passfiles.contains(&path));
        if !records.is_empty() || !known && !tokens.is_empty() {
            let mut sealed = Vec::new();
            self.update_index(|index| {
                let is_sealed = |id: &String| {
                    index
                        .records
                        .get(id)
                        .is_some_and(|old| old.location == TokenLocation::Cache)
                };
                sealed.extend(records.iter().map(|(id, _)| id.clone()).filter(is_sealed));
                index.records.extend(records);
                index.passfiles.insert(path);
            });
            // An older token in the cache would be handed out before the one in the passfile.
            if let Some(Err(error)) = self
                .cache
                .as_ref()
                .map(|cache| cache.remove_entries(&sealed))
            {
                self.warn_about_cache(&error);
            }
        }
    }

    fn signer(&mut self, profile: Option<&str>) -> &mut Signer {
        self.signers.entry(profile.map(str::to_owned)).or_default()
    }

    fn cached(&self, request: &Request, id: &EntryId, least: Age) -> Option<Issued> {
        let (token, region) = self.cache.as_ref()?.get(id, &request.key(), least)?;
        Some(Issued {
            id: id.clone(),
            token,
            region,
            cached: true,
            cut_short: false,
        })
    }

    /// Waits until nobody else asks AWS for this identity; says whether it had to take the lock for
    /// that.
    ///
    /// Without the lock pgcred goes on: all that it saves is a question.
    fn lock(&mut self, profile: Option<&str>) -> bool {
        let deadline = self.share(profile);
        // Whoever has the lock may be waiting for a person. Where nobody is here to wait too, some
        // time is left to ask.
        let patience = if self.ask.terminal {
            Duration::from_mins(10)
        } else {
            deadline.saturating_duration_since(Instant::now()) / 4 * 3
        };
        let identity = self.identity(profile);
        let signer = self.signer(profile);
        if signer.lock.is_some() || signer.credentials.is_some() {
            return false;
        }
        match self
            .cache
            .as_ref()
            .map(|cache| cache.lock(&identity, patience))
            .transpose()
        {
            Ok(lock) => {
                self.signer(profile).lock = lock;
                if self.ask.terminal {
                    self.signer(profile).deadline = Some(Instant::now() + self.ask.timeout);
                }
            }
            Err(error) => self.warn_about_cache(&error),
        }
        true
    }

    /// Signs a new token; its life is cut to what the credentials have left.
    fn renew(&mut self, request: &Request, id: &EntryId, wish: Wish) -> Result<Issued> {
        let region = if let Some(region) = &request.region {
            region.clone()
        } else {
            let identity = self.identity(request.profile.as_deref());
            region_of(identity.planned(), &request.sign_host, &self.ask)?
        };
        let credentials =
            self.credentials(request.profile.as_deref(), &region, request.life, wish)?;
        sign(request, id.clone(), region, &credentials)
    }

    fn credentials(
        &mut self,
        profile: Option<&str>,
        region: &str,
        wanted: u32,
        wish: Wish,
    ) -> Result<Credentials> {
        if let Some(known) = &self.signer(profile).credentials {
            return known.clone();
        }
        let identity = self.identity(profile);
        let before = self
            .cache
            .as_ref()
            .and_then(|cache| cache.index().failures.get(identity.name()).cloned());
        let waiting = before
            .as_ref()
            .filter(|before| !wish.fresh && !self.can_do_better(before));
        let found = if let Some(error) = waiting.and_then(|before| before.still_holds(&identity)) {
            Err(error)
        } else {
            // As they were before: a login that comes while AWS is asked ends the pause.
            let logins = self.cache.as_ref().map(|_| identity.logins().to_owned());
            let deadline = self.share(profile);
            let aws = Aws {
                planned: identity.planned(),
                ask: &self.ask,
                deadline,
            };
            let found = aws.credentials(region, wanted, &mut self.notes);
            // Only then: whoever else logs in while AWS is asked is not who signs.
            if std::mem::take(&mut self.notes.has_changed_files) {
                self.look_again(profile);
            }
            if let (Err(error), Some(logins)) = (&found, logins) {
                let failure = Failure::after(before, error, Time::now(), self.ask.asks(), logins);
                self.update_index(|index| {
                    drop(index.failures.insert(identity.name().to_owned(), failure));
                });
            }
            found
        };
        self.signer(profile).credentials = Some(found.clone());
        found
    }

    /// A login that was missing may be had now: somebody is there, unless that is who failed while
    /// this one waited.
    fn can_do_better(&self, before: &Failure) -> bool {
        let meanwhile = before.asked && before.at >= self.began;
        before.error.exit() == Exit::Login && self.ask.can_ask() && !meanwhile
    }

    /// Stores the token, and while the credentials are at hand what else of this identity is due.
    fn store<Others: Iterator<Item = Request>>(
        &mut self,
        request: &Request,
        issued: &Issued,
        wish: Wish,
        others: impl FnOnce(&Index) -> Others,
    ) {
        let Some(index) = self.cache.as_ref().map(Cache::index) else {
            return;
        };
        let identity = self.identity(request.profile.as_deref());
        let began = Instant::now();
        let renewed = self.renewed(request, &issued.id, &index, others(&index), began);
        let Some(cache) = &self.cache else { return };
        let mut records = Vec::new();
        let mut failed = None;
        let mut put = |request: &Request, issued: &Issued| match cache.put(
            &issued.id,
            &issued.token,
            &issued.region,
        ) {
            Ok(()) => records.push((
                issued.id.as_str().to_owned(),
                issued.record(request, TokenLocation::Cache, &identity),
            )),
            Err(error) => failed = Some(error),
        };
        if !wish.filed_elsewhere {
            put(request, issued);
        }
        for (other, issued) in &renewed {
            if began.elapsed() > LONGEST_FOR_OTHERS {
                break;
            }
            put(other, issued);
        }
        let note = cache.note.take();
        let known_failure = cache.index().failures.contains_key(identity.name());
        if let Some(error) = failed {
            self.warn_about_cache(&error);
        }
        self.notes.warnings.extend(note);
        if known_failure || !records.is_empty() {
            self.update_index(|index| {
                index.records.extend(records);
                index.failures.remove(identity.name());
            });
        }
    }

    /// Signs new tokens for those of the others that are due, with the credentials that have signed
    /// for this request.
    fn renewed(
        &mut self,
        request: &Request,
        id: &EntryId,
        index: &Index,
        others: impl Iterator<Item = Request>,
        began: Instant,
    ) -> Vec<(Request, Issued)> {
        let known = self
            .signers
            .get(&request.profile)
            .and_then(|signer| signer.credentials.clone());
        let Some(Ok(credentials)) = known else {
            return Vec::new();
        };
        let identity = self.identity(request.profile.as_deref());
        let now = Time::now();
        let mut renewed = Vec::new();
        for other in others.take(MOST_LOOKED_AT) {
            if renewed.len() == MOST_RENEWED || began.elapsed() > LONGEST_FOR_OTHERS {
                break;
            }
            if self.identity(other.profile.as_deref()) != identity {
                continue;
            }
            let Some(region) = other.region.clone() else {
                continue;
            };
            let other_id = EntryId::of(&other, &identity);
            let is_fresh = index
                .records
                .get(other_id.as_str())
                .is_some_and(|record| record.age(now) == Age::Fresh);
            if is_fresh || other_id == *id {
                continue;
            }
            if let Ok(issued) = sign(&other, other_id, region, &credentials) {
                renewed.push((other, issued));
            }
        }
        renewed
    }

    fn update_index(&mut self, change: impl FnOnce(&mut Index)) {
        if let Some(Err(error)) = self.cache.as_ref().map(|cache| cache.update(change)) {
            self.warn_about_cache(&error);
        }
    }

    /// Says once what is wrong with the cache: where one step fails the next ones do too.
    fn warn_about_cache(&mut self, error: &Error) {
        if !std::mem::replace(&mut self.has_warned_about_cache, true) {
            self.notes.warnings.push(error.to_string());
        }
    }
}

/// Returns the region that AWS's configuration gives, where neither the user nor the host names
/// one.
pub(crate) fn default_region(host: &str, profile: Option<&str>, ask: &AskPolicy) -> Result<String> {
    region_of(&Planned::read(profile, &SharedFiles::default()), host, ask)
}

fn region_of(planned: &Planned, host: &str, ask: &AskPolicy) -> Result<String> {
    let deadline = Instant::now() + ask.timeout;
    let found = Aws {
        planned,
        ask,
        deadline,
    }
    .region(&mut Notes::default())?
    .ok_or_else(|| {
        Error::usage(format!("no region for {host}"))
            .because(Reason::NoRegion)
            .hint("--region REGION, AWS_REGION, or `region` in the profile")
    })?;
    normal_region(&found)
}

fn sign(
    request: &Request,
    id: EntryId,
    region: String,
    credentials: &Credentials,
) -> Result<Issued> {
    let now = Time::now();
    let mut life = request.life;
    if let Some(expiry) = credentials.expiry().map(Time::from_system) {
        life = life.min(now.until(expiry));
    }
    if life == 0 {
        let whose = request
            .profile
            .as_ref()
            .map(|profile| format!(" of profile `{profile}`"))
            .unwrap_or_default();
        return Err(
            Error::login(format!("the AWS credentials{whose} have expired"))
                .hint("log in again, then retry"),
        );
    }
    let token = sigv4::presign(&request.signable(), &region, credentials, now, life)?;
    Ok(Issued {
        id,
        token,
        region,
        cached: false,
        cut_short: life < request.life,
    })
}

impl Wish {
    /// The oldest token that is worth looking at.
    fn least_age(self) -> Age {
        if self.fresh { Age::Stale } else { Age::Fresh }
    }
}

impl Issued {
    /// Whether a token that was not made for this caller will do.
    fn fits(&self, wish: Wish, began: Time) -> bool {
        let now = Time::now();
        let recent = if wish.fresh {
            self.token.issued_at >= began
        } else {
            self.token.age(now) == Age::Fresh
        };
        recent && now.until(self.token.expires_at) >= wish.min_valid
    }

    fn check(self, wish: Wish, request: &Request) -> Result<Self> {
        let left = Time::now().until(self.token.expires_at);
        if left >= wish.min_valid {
            return Ok(self);
        }
        let (left, wanted) = (spoken(left), spoken(wish.min_valid));
        Err(Error::login(format!(
            "a token for {} lasts {left}, not {wanted}: so do the AWS credentials",
            request.name()
        ))
        .hint("log in again, or ask for less with --min-valid"))
    }

    fn record(&self, request: &Request, location: TokenLocation, identity: &Identity) -> Record {
        Record::new(
            request.key(),
            &self.token,
            self.region.clone(),
            location,
            identity,
        )
    }
}

impl Failure {
    /// Counts on from the failure before, if that was not long ago and nobody has logged in since.
    fn after(before: Option<Self>, error: &Error, now: Time, asked: bool, logins: String) -> Self {
        const LONG: u32 = 3_600;
        let before =
            before.filter(|failure| failure.logins == logins && failure.at.until(now) < LONG);
        let count = before.map_or(0, |failure| failure.count).saturating_add(1);
        Self {
            at: now,
            count,
            error: error.clone(),
            asked,
            logins,
        }
    }

    /// Tells whether the failure is one of now: nobody has logged in since.
    fn is_of_now(&self, identity: &Identity) -> bool {
        self.at <= Time::now() && self.logins == identity.logins()
    }

    /// Returns the error to repeat instead of asking again: until its time is over or somebody has
    /// logged in. A setting that cannot be used is looked at again: AWS is not asked for that.
    fn still_holds(&self, identity: &Identity) -> Option<Error> {
        self.pause(identity)?;
        let waited = self.at.until(Time::now());
        let again =
            format!("AWS was asked {waited} s ago and this was the answer; --fresh asks again now");
        Some(self.error.clone().noting(&again))
    }

    /// Returns when AWS is asked again, unless somebody logs in before; none where it may be asked
    /// now.
    fn pause(&self, identity: &Identity) -> Option<Time> {
        const LONGEST: u32 = 300;
        let pause = 5_u32.saturating_mul(1 << self.count.min(10)).min(LONGEST);
        let end = self.at.plus(pause);
        let holds =
            self.error.exit() != Exit::Usage && Time::now() < end && self.is_of_now(identity);
        holds.then_some(end)
    }
}

impl Index {
    /// Returns when AWS is asked again for this identity, if a failure is waited out now.
    fn pause(&self, identity: &Identity) -> Option<Time> {
        self.failures.get(identity.name())?.pause(identity)
    }

    /// Returns the last failure of this identity, unless somebody has logged in since.
    pub(crate) fn failure(&self, identity: &Identity) -> Option<&Failure> {
        self.failures
            .get(identity.name())
            .filter(|failure| failure.is_of_now(identity))
    }
}
