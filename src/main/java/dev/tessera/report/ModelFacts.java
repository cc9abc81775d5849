package dev.tessera.report;

import dev.tessera.model.VqVaeConfig;
import dev.tessera.model.VqVaeConfig.ImageConfig;

/** What a configuration amounts to, in words. */
final class ModelFacts {
  private ModelFacts() {}

  /** Size and kind of an image. */
  static String image(VqVaeConfig config) {
    ImageConfig image = config.image();
    return image.height() + "×" + image.width() + (image.channels() == 1 ? " grey" : " RGB");
  }

  /** Bits of an image as codes, and how many times fewer than as 8-bit pixels. */
  static String bits(VqVaeConfig config) {
    ImageConfig image = config.image();
    double each = Math.log(config.quantizer().codes()) / Math.log(2);
    double bits = (double) config.gridHeight() * config.gridWidth() * each;
    double pixels = 8.0 * image.height() * image.width() * image.channels();
    String text = Numbers.fixed(bits, 0);
    return bits == 0 ? text : text + " (" + Numbers.fixed(pixels / bits, 1) + "× fewer)";
  }
}
