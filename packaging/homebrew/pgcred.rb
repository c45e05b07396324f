# The formula for a tap: it installs the programs of the release, which need no compiler.
class Pgcred < Formula
  desc "Postgres credential helper for Aurora DSQL, RDS and other services"
  homepage "@REPOSITORY@"
  version "@VERSION@"
  license "MIT"

  on_macos do
    on_arm do
      url "@URL aarch64-apple-darwin@"
      sha256 "@SHA256 aarch64-apple-darwin@"
    end
    on_intel do
      url "@URL x86_64-apple-darwin@"
      sha256 "@SHA256 x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "@URL aarch64-unknown-linux-gnu@"
      sha256 "@SHA256 aarch64-unknown-linux-gnu@"
    end
    on_intel do
      url "@URL x86_64-unknown-linux-gnu@"
      sha256 "@SHA256 x86_64-unknown-linux-gnu@"
    end
  end

  def install
    bin.install "pgcred"
    bin.install_symlink "pgcred" => "pgcred-aws"
    man1.install "man/pgcred.1"
    doc.install "THIRD-PARTY.txt"
    bash_completion.install "completions/pgcred.bash" => "pgcred"
    fish_completion.install "completions/pgcred.fish"
    zsh_completion.install "completions/_pgcred"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/pgcred --version")
  end
end
