package dev.tessera.report;

import dev.tessera.io.Json;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.model.VqVaeConfig.NetworkConfig;
import dev.tessera.model.VqVaeConfig.NetworkKind;
import dev.tessera.model.VqVaeConfig.QuantizerConfig;
import dev.tessera.model.VqVaeConfig.QuantizerMode;
import dev.tessera.model.VqVaeConfig.TrainingConfig;
import dev.tessera.train.RunInfo;

/** What ran, on what, and with which settings. */
final class FactsSection implements Section {
  private static final int FINGERPRINT = 12; // hexadecimal digits that are shown

  private final VqVaeConfig config;
  private final RunInfo info;
  private final long parameters;

  FactsSection(VqVaeConfig config, RunInfo info, long parameters) {
    this.config = config;
    this.info = info;
    this.parameters = parameters;
  }

  @Override
  public String title() {
    return "Configuration";
  }

  @Override
  public String note() {
    return "";
  }

  @Override
  public void writeTo(Markup out) {
    out.open("div", "class", "tables");
    run().writeTo(out);
    data().writeTo(out);
    model().writeTo(out);
    quantizer().writeTo(out);
    training().writeTo(out);
    out.close();
    out.open("details").element("summary", "config.json");
    out.open("pre").element("code", Json.pretty(config)).close();
    out.close();
  }

  private FactsTable run() {
    return new FactsTable("Run")
        .add("seed", Long.toString(info.seed()))
        .add("device", info.device())
        .add("threads", Integer.toString(info.threads()))
        .add("Tessera", info.version());
  }

  private FactsTable data() {
    RunInfo.DataInfo data = info.data();
    String print = data.fingerprint();
    return new FactsTable("Data")
        .add("name", data.name())
        .add("source", data.source())
        .add("trained on", Numbers.count(data.trainImages()) + " images")
        .add("held out", Numbers.count(data.heldOutImages()) + " images")
        .add("variance of pixels", Numbers.loss(info.variance()))
        .addShortened(
            "fingerprint",
            print.length() > FINGERPRINT ? print.substring(0, FINGERPRINT) + "…" : print,
            print);
  }

  private FactsTable model() {
    NetworkConfig n = config.network();
    FactsTable table =
        new FactsTable("Model")
            .add("image", ModelFacts.image(config))
            .add("network", n.kind() == NetworkKind.KERAS ? "as in Keras" : "as in Sonnet")
            .add("hidden channels", Integer.toString(n.hidden()));
    if (n.kind() == NetworkKind.SONNET) {
      table
          .add("residual layers", Integer.toString(n.residualLayers()))
          .add("residual channels", Integer.toString(n.residualHidden()));
    }
    return table
        .add("parameters", Numbers.count(parameters))
        .add("codes per image", config.gridHeight() + "×" + config.gridWidth())
        .add("bits per image", ModelFacts.bits(config));
  }

  private FactsTable quantizer() {
    QuantizerConfig q = config.quantizer();
    FactsTable table =
        new FactsTable("Quantiser")
            .add("codes, K", Numbers.count(q.codes()))
            .add("dimension, D", Integer.toString(q.dim()))
            .add("codes learn by", q.mode() == QuantizerMode.EMA ? "moving averages" : "gradient")
            .add("commitment, β", Numbers.exact(q.commitment()));
    if (q.mode() == QuantizerMode.EMA) {
      table
          .add("decay, γ", Numbers.exact(q.decay()))
          .add("smoothing, ε", Numbers.exact(q.epsilon()));
    }
    return table.add("codes begin", beginning(q));
  }

  private static String beginning(QuantizerConfig q) {
    return switch (q.init()) {
      case KERAS_UNIFORM -> "uniform, as in Keras";
      case SONNET_UNIFORM -> "uniform, as in Sonnet";
      case DATA ->
          "as k-means of data"
              + (q.initStep() > 0 ? ", after step " + Numbers.count(q.initStep()) : "");
    };
  }

  private FactsTable training() {
    TrainingConfig t = config.training();
    FactsTable table =
        new FactsTable("Training")
            .add("batch", Numbers.count(t.batch()) + " images")
            .add("last, smaller batch", t.dropRemainder() ? "left out" : "kept");
    table.add(
        "length",
        t.epochs() > 0
            ? Numbers.count(t.epochs()) + " epochs"
            : Numbers.count(t.steps()) + " steps");
    return table
        .add("learning rate (Adam)", Numbers.exact(t.learningRate()))
        .add(
            "ε (Adam)",
            Numbers.exact(t.adamEpsilon())
                + (t.epsilonHat() ? ", on the uncorrected root" : ", on the corrected root"))
        .add("logged every", t.logEvery() == 0 ? "epoch" : Numbers.count(t.logEvery()) + " steps");
  }
}
