//! C's `pow`, the one thing that the AWS SDK needs of the system's libm: loading that costs a
//! twentieth of a warm answer.
#![no_std]

/// `x` to the power of `y`, as C has it.
#[unsafe(no_mangle)] // A crate of its own, for the rest forbids this.
pub extern "C" fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

#[test]
fn it_is_what_powf_calls() {
    extern crate std;
    use core::hint::black_box;
    assert!((black_box(8.0_f64).powf(black_box(1.0 / 3.0)) - 2.0).abs() < 1e-12);
}
