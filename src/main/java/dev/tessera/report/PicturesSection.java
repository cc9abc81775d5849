package dev.tessera.report;

import dev.tessera.io.PixelImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Originals above what the model makes of them, pair by pair. */
final class PicturesSection implements Section {
  private static final int MOST_SMALL = 64;
  private static final int MOST_LARGE = 12; // of more than 64 pixels a side: the page stays light
  private static final int SMALL = 64;
  private static final int LEAST_SIDE = 84; // on screen: small images are enlarged to about this
  private static final int MOST_SIDE = 204; // on screen: four in a row

  private record Pair(Thumbnail original, Thumbnail reconstruction) {}

  private final List<Pair> pairs = new ArrayList<>();
  private final int factor; // that large images were shrunk by

  /**
   * Pictures of one size.
   *
   * @throws IllegalArgumentException if there are not as many originals as reconstructions
   */
  PicturesSection(List<PixelImage> originals, List<PixelImage> reconstructions) throws IOException {
    if (originals.size() != reconstructions.size()) {
      throw new IllegalArgumentException(
          originals.size() + " originals, " + reconstructions.size() + " reconstructions");
    }
    int longest = 0;
    for (PixelImage image : originals) {
      longest = Math.max(longest, Math.max(image.width(), image.height()));
    }
    this.factor = (longest + Thumbnail.MOST_SIDE - 1) / Thumbnail.MOST_SIDE;
    int n = Math.min(originals.size(), longest > SMALL ? MOST_LARGE : MOST_SMALL);
    for (int i = 0; i < n; i++) {
      pairs.add(new Pair(Thumbnail.of(originals.get(i)), Thumbnail.of(reconstructions.get(i))));
    }
  }

  @Override
  public String title() {
    return "Reconstructions";
  }

  @Override
  public String note() {
    if (pairs.isEmpty()) {
      return "";
    }
    return "Above, an image that was held out; below, what is left of it after it went through the"
        + " codes."
        + (factor > 1 ? " Shown at 1/" + factor + " of their size." : "");
  }

  @Override
  public void writeTo(Markup out) {
    if (pairs.isEmpty()) {
      out.element("p", "No images were held out.", "class", "nothing");
      return;
    }
    int width = pairs.getFirst().original().width();
    int scale = Math.max(1, Math.round((float) LEAST_SIDE / width));
    String looks = scale > 1 ? "pairs pixels" : "pairs";
    int side = Math.min(width * scale, MOST_SIDE);
    out.open("div", "class", looks, "style", "--side:" + side + "px");
    for (int i = 0; i < pairs.size(); i++) {
      out.open("div", "class", "pair");
      pairs.get(i).original().writeTo(out, "Held-out image " + (i + 1));
      pairs.get(i).reconstruction().writeTo(out, "Its reconstruction");
      out.close();
    }
    out.close();
  }
}
