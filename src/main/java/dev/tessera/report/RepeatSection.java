package dev.tessera.report;

/** The command that makes the same run again. */
final class RepeatSection implements Section {
  private final String command;

  RepeatSection(String command) {
    this.command = command;
  }

  @Override
  public String title() {
    return "Run it again";
  }

  @Override
  public String note() {
    return "The same seed, data, device and threads give the same weights, bit for bit.";
  }

  @Override
  public void writeTo(Markup out) {
    out.open("pre", "class", "command").element("code", command).close();
  }
}
