package dev.tessera.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ShiftTest {
  @Test
  void everyPixelMovesAndBackgroundComesIn() {
    int height = 5;
    int width = 4;
    int channels = 3;
    float[] image = new float[height * width * channels];
    for (int i = 0; i < image.length; i++) {
      image[i] = i;
    }
    for (int down = -4; down <= 4; down++) {
      for (int right = -3; right <= 3; right++) {
        float[] out = new float[image.length + 7];
        Arrays.fill(out, Float.NaN);
        Shift.write(image, height, width, channels, down, right, -1, out, 5);
        for (int i = 0; i < out.length; i++) {
          float expected = Float.NaN; // what lies beside the image is left alone
          if (i >= 5 && i < 5 + image.length) {
            int y = (i - 5) / (width * channels) - down;
            int x = (i - 5) / channels % width - right;
            boolean inside = y >= 0 && y < height && x >= 0 && x < width;
            expected = inside ? image[(y * width + x) * channels + (i - 5) % channels] : -1;
          }
          assertEquals(expected, out[i], "down " + down + ", right " + right + ", element " + i);
        }
      }
    }
  }
}
