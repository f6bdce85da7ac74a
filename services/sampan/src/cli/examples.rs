//! Examples below the help texts; each can be pasted, those of clients against the clouds of `sampan simulate`.
//!
//! Their lines fit 80 columns, because a command that the terminal breaks cannot be pasted; prose is broken by clap.

pub(super) const SERVE: &str = "\
Examples:
  sampan serve                                       both clouds
  sampan serve --config sampan.toml                  everything from a file
  sampan serve --listen 127.0.0.1:0 --store memory   a free port, nothing kept

When it is ready it prints one JSON line with its addresses. SIGTERM or Ctrl-C stops it in order; what runs goes on \
after the next start.";

pub(super) const DEMO: &str = "\
Examples:
  sampan demo                   everything simulated, every claim checked
  sampan demo --disk disk.raw   exports your own disk, compares what returns
  sampan demo --keep            goes on serving, and prints how to call it";

pub(super) const SIMULATE: &str = "\
Examples:
  sampan simulate --write-config sim.toml   then, in another terminal:
  sampan serve --config sim.toml
  sampan simulate --port 0 --json           free ports, told on one line";

pub(super) const PREVIEW_EXPORT: &str = "\
Examples:
  sampan preview export --cloud tencent --region ap-guangzhou \\
      --image img-ubuntu01 --bucket sampan-guangzhou-1250000000
  sampan preview export --cloud alibaba --region cn-hangzhou \\
      --image m-bp1sampandebian00001 --bucket sampan-hangzhou \\
      --prefix web --output json

Exit code 0 when it can start, 3 when a rule is broken, 4 when only the day's quota is missing.";

pub(super) const EXPORT: &str = "\
Examples:
  sampan export --cloud tencent --region ap-guangzhou \\
      --image img-ubuntu01 --bucket sampan-guangzhou-1250000000
  sampan export --cloud alibaba --region cn-hangzhou \\
      --image m-bp1sampandebian00001 --bucket sampan-hangzhou \\
      --prefix web --queue --detach

Ctrl-C ends the watching, not the export. The exit code tells how the export ended; see sampan --help.";

pub(super) const PREVIEW_COPY: &str = "\
Examples:
  sampan preview copy --cloud tencent --region ap-guangzhou \\
      --image img-ubuntu01 --to ap-shanghai,ap-beijing
  sampan preview copy --cloud alibaba --region cn-hangzhou \\
      --image m-bp1sampandebian00001 --to cn-shanghai --encrypt --output json

Exit code 0 when it can start, 3 when a rule is broken, 4 when only the day's quota is missing.";

pub(super) const COPY: &str = "\
Examples:
  sampan copy --cloud tencent --region ap-guangzhou \\
      --image img-ubuntu01 --to ap-shanghai,ap-beijing --name web-2
  sampan copy --cloud alibaba --region cn-hangzhou \\
      --image m-bp1sampandebian00001 --to cn-shanghai \\
      --share-with 1234567890123456 --all-or-nothing

Ctrl-C ends the watching, not the copy. When some regions fail, the good copies stay and `sampan operations retry` \
tries the others again. The exit code tells how the copy ended; see sampan --help.";

pub(super) const PREVIEW_SHARE: &str = "\
Examples:
  sampan preview share --cloud tencent --region ap-guangzhou \\
      --image img-ubuntu01 --with 100012345678,100087654321
  sampan preview share --change set --cloud alibaba --region cn-hangzhou \\
      --image m-bp1sampandebian00001 --nobody --output json

Exit code 0 when it can start, 3 when a rule is broken, 4 when only the day's quota is missing.";

pub(super) const SHARE: &str = "\
Examples:
  sampan share add --cloud tencent --region ap-guangzhou \\
      --image img-ubuntu01 --to 100012345678,100087654321 --include-copies
  sampan share remove --cloud tencent --region ap-guangzhou \\
      --image img-ubuntu01 --from 100012345678
  sampan share set --cloud alibaba --region cn-hangzhou \\
      --image m-bp1sampandebian00001 --with 1234567890123456
  sampan share list --cloud tencent --region ap-guangzhou --image img-ubuntu01

Numbers are those of root accounts. Receivers find the image in its own region only. Who has it already counts as \
done; when some accounts fail, `sampan operations retry` tries those again.";

pub(super) const ESTIMATE: &str = "\
Examples:
  sampan estimate export --cloud tencent --site intl --region ap-guangzhou \\
      --disk-gib 50 --disk-gib 200 --storage-class STANDARD --public-downloads 1
  sampan estimate export --cloud alibaba --site cn --region cn-hangzhou \\
      --disk-gib 40:12 --compare storage-class
  sampan estimate export --cloud tencent --region ap-guangzhou \\
      --image img-ubuntu01 --public-downloads 1
  sampan estimate copy --cloud tencent --site intl --region ap-beijing \\
      --to ap-guangzhou --disk-gib 100
  sampan estimate download --cloud tencent --site cn --region ap-shanghai \\
      --object-gib 100 --private-downloads 1

Prices come with Sampan, each with its source and date; --prices adds your own. A price that is not known is never \
taken for zero: the total is then a lower bound, and says so.";

pub(super) const OPERATIONS: &str = "\
Examples:
  sampan operations list --state running --state waiting-for-quota
  sampan operations watch 019e5c1a-5a3f-7c11-8a44-6f0c1d1b2e3f
  sampan operations cancel 019e5c1a-5a3f-7c11-8a44-6f0c1d1b2e3f --remove-result
  sampan operations retry 019e5c1a-5a3f-7c11-8a44-6f0c1d1b2e3f";

pub(super) const QUOTA: &str = "\
Examples:
  sampan quota                                        every region that was used
  sampan quota --cloud tencent --region ap-guangzhou   one region";

pub(super) const DOWNLOAD: &str = "\
Examples:
  sampan download 019e5c1a-5a3f-7c11-8a44-6f0c1d1b2e3f --to disks --unpack

A file has its final name only when it is complete and its CRC-64 is the bucket's. After a break, the same command \
goes on where it stopped.";

pub(super) const HEALTH: &str = "\
Examples:
  sampan health                               the server of this machine
  sampan health --endpoint https://sampan:7500 --tls-ca ca.pem
  sampan health --service sampan.liveness     whether it runs, store or not

Exit code 0 when it is ready, 5 when it is not or does not answer.";

pub(super) const DOCTOR: &str = "\
Examples:
  sampan doctor --config sampan.toml
  sampan doctor --config sampan.toml --region prod-cn=ap-shanghai \\
      --bucket prod-cn/ap-shanghai/images-1250000000
  sampan doctor --output json

Exit code 0 when all is well, 1 when something is to be mended, 2 when the configuration cannot be read.";

pub(super) const FIRST_STEPS: &str = "\
First steps:
  sampan demo                       see everything once, on simulated clouds
  sampan serve                      then, in another terminal:
  sampan preview export --help      what an export would do, before it does
  sampan export --help";

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    /// Returns the longest line of the examples of a command and of those below it.
    fn longest(command: &Command) -> usize {
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = text.lines().filter(|line| line.starts_with("  ")).map(|line| line.chars().count());
        lines.chain(command.get_subcommands().map(longest)).max().unwrap_or(0)
    }

    #[test]
    fn examples_are_not_broken_by_a_terminal_of_80_columns() {
        let longest = longest(&crate::cli::Cli::command());
        assert!((60..=80).contains(&longest), "{longest}");
    }
}
