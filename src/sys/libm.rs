//! Replaces C's `pow`, the one function of the system's libm that the AWS SDK calls.
//!
//! The linker takes this one, so that the program does not load libm: that would cost 0.05 ms, a
//! twentieth of the time in which a cached token is printed. The function is the Rust crate
//! `libm`'s.

/// Returns `base` to the power of `exponent`.
#[unsafe(no_mangle)]
#[expect(
    unsafe_code,
    reason = "a second function of this name would be undefined behavior"
)]
extern "C" fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    #[test]
    fn the_standard_library_calls_it() {
        let root = black_box(8.0_f64).powf(black_box(1.0 / 3.0));
        assert!((root - 2.0).abs() < 1e-12);
    }
}
