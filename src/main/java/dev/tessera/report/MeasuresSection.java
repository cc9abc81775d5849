package dev.tessera.report;

/** What the figures mean. */
final class MeasuresSection implements Section {
  private static final String[] MEASURES = {
    "Loss", "NMSE plus the quantiser’s loss: what training makes small.",
    "NMSE",
        "Mean squared error over all pixels, divided by the variance of the training set’s pixels."
            + " Pixels are not clipped. Also called recon.",
    "Quantiser’s loss",
        "Squared distance between encoder’s output and nearest code, a mean over all elements, with"
            + " the weights of its terms.",
    "Perplexity",
        "exp of the entropy of the codes’ shares, over the whole set: from 1 (one code for all) to"
            + " K (all equally often).",
    "Usage", "Share of codes that were chosen at least once.",
    "PSNR", "10 log₁₀(1 / MSE) in dB for pixels in the range 0 to 1, clipped; mean over images.",
    "SSIM",
        "Structural similarity with an 11×11 Gaussian window of σ 1.5, range 1, pixels clipped;"
            + " mean over images. 1 is equal.",
    "Held-out", "Images that were not trained on; each figure is over the whole set.",
    "Images/s", "Speed of training since the point before, without evaluation."
  };

  @Override
  public String title() {
    return "Measures";
  }

  @Override
  public String note() {
    return "";
  }

  @Override
  public void writeTo(Markup out) {
    out.open("dl", "class", "measures");
    for (int i = 0; i < MEASURES.length; i += 2) {
      out.open("div").element("dt", MEASURES[i]).element("dd", MEASURES[i + 1]).close();
    }
    out.close();
  }
}
