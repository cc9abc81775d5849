package dev.tessera.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.data.DatasetSplit;
import dev.tessera.data.ImageDataset;
import dev.tessera.device.Device;
import java.lang.foreign.MemorySegment;
import java.util.Comparator;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Images whose figures are known beforehand. */
class JudgementTest {
  private static final long SEED = System.nanoTime();
  private static final DatasetSplit BARS = Bars.split(SEED);
  private static Device device;
  private static ClassifierTrainer trainer;
  private static Classifier classifier;

  @BeforeAll
  static void train() {
    device = Device.open("cpu");
    trainer = new ClassifierTrainer(Bars.CONFIG, 1, BARS, device, 2);
    trainer.run((epoch, nats, heldOut, speed) -> {});
    classifier = trainer.classifier();
  }

  @AfterAll
  static void close() {
    trainer.close();
    device.close();
  }

  @Test
  void imagesThatAreTheHeldOutOnesAreAsGoodAsThem() {
    ImageDataset heldOut = BARS.heldOut();
    Judgement j = Judgement.of(classifier, heldOut, heldOut, heldOut);
    double right = classifier.score(heldOut).confusion().share();
    assertEquals(24, j.dimensions());
    assertEquals(right, Objects.requireNonNull(j.samples()).share());
    assertEquals(right, Objects.requireNonNull(j.heldOut()).share());
    assertEquals(right, Objects.requireNonNull(j.reconstructions()).share());
    assertEquals(0, j.samplesDistance().squared(), 1e-9);
    assertEquals(0, j.reconstructionsDistance().squared(), 1e-9);
    assertEquals(200, j.samplesDistance().images());
    assertEquals(200, j.samplesDistance().others());
    assertEquals(100, j.heldOutDistance().images());
    assertEquals(100, j.heldOutDistance().others());
    assertTrue(j.heldOutDistance().squared() > 1e-4, "halves differ: " + j.heldOutDistance());
  }

  @Test
  void imagesOfAnotherKindAreFarAndThoseOfAnotherClassAreNotRecognised() {
    ImageDataset heldOut = BARS.heldOut();
    byte[] next = new byte[60];
    byte[] noise = new byte[60 * heldOut.imageSize()];
    new java.util.SplittableRandom(SEED).nextBytes(noise);
    for (int i = 0; i < next.length; i++) {
      next[i] = (byte) ((heldOut.label(i) + 1) % 3);
    }
    ImageDataset wrong = Bars.relabelled(heldOut.slice("some", 0, 60), next);
    Judgement j = Judgement.of(classifier, wrong, heldOut, heldOut);
    assertTrue(Objects.requireNonNull(j.samples()).share() < 0.2, "seed " + SEED);
    assertEquals(60, j.taken().length);
    assertEquals(60, j.heldOutDistance().images());
    assertEquals(140, j.heldOutDistance().others());
    ImageDataset other =
        ImageDataset.of("noise", Bars.SIDE, Bars.SIDE, 1, MemorySegment.ofArray(noise), null);
    Judgement far = Judgement.of(classifier, other, heldOut, heldOut);
    assertNull(far.samples(), "no class was asked for");
    assertTrue(
        far.samplesDistance().squared() > 3 * j.samplesDistance().squared(),
        far.samplesDistance() + " and " + j.samplesDistance() + ", seed " + SEED);
  }

  @Test
  void heldOutImagesAreComparedAmongThemselvesInNoOrder() {
    ImageDataset heldOut = BARS.heldOut();
    int[] byClass =
        IntStream.range(0, heldOut.count())
            .boxed()
            .sorted(Comparator.comparingInt(heldOut::label))
            .mapToInt(i -> i)
            .toArray();
    ImageDataset ordered = heldOut.select("ordered", byClass);
    ImageDataset oneClass = ordered.slice("one class", 0, 40);
    Judgement j = Judgement.of(classifier, oneClass, ordered, ordered);
    assertEquals(40, j.heldOutDistance().images());
    assertTrue(
        j.heldOutDistance().squared() < 0.2 * j.samplesDistance().squared(),
        j.heldOutDistance() + " and " + j.samplesDistance() + ", seed " + SEED);
  }

  @Test
  void reconstructionsAreJudgedByTheLabelsOfTheirOriginals() {
    ImageDataset heldOut = BARS.heldOut();
    ImageDataset black =
        ImageDataset.of(
            "black",
            Bars.SIDE,
            Bars.SIDE,
            1,
            MemorySegment.ofArray(new byte[heldOut.count() * heldOut.imageSize()]),
            null);
    Judgement j = Judgement.of(classifier, heldOut, heldOut, black);
    Confusion confusion = Objects.requireNonNull(j.reconstructions());
    int most = 0;
    for (int c = 0; c < 3; c++) {
      most = Math.max(most, confusion.images(c));
      assertEquals(
          Objects.requireNonNull(j.heldOut()).images(c), confusion.images(c), "class " + c);
    }
    assertTrue(confusion.right() <= most, "black images are all taken for one class");
    assertTrue(j.reconstructionsDistance().squared() > j.heldOutDistance().squared());
    ImageDataset bare = Bars.relabelled(heldOut, null);
    Judgement without = Judgement.of(classifier, heldOut, bare, black);
    assertNull(without.heldOut());
    assertNull(without.reconstructions());
  }

  @Test
  void whatCannotBeJudgedIsRefused() {
    ImageDataset heldOut = BARS.heldOut();
    ImageDataset one = heldOut.slice("one", 0, 1);
    ImageDataset three = heldOut.slice("three", 0, 3);
    refused("at least 2 samples", () -> Judgement.of(classifier, one, heldOut, heldOut));
    refused("4 held-out images", () -> Judgement.of(classifier, heldOut, three, three));
    refused("3 reconstructions of 200", () -> Judgement.of(classifier, heldOut, heldOut, three));
    byte[] far = new byte[heldOut.count()];
    far[3] = 9;
    ImageDataset asked = Bars.relabelled(heldOut, far);
    refused("label 9", () -> Judgement.of(classifier, asked, heldOut, heldOut));
  }

  private static void refused(String words, Executable what) {
    String message =
        String.valueOf(assertThrows(IllegalArgumentException.class, what).getMessage());
    assertTrue(message.contains(words), message);
  }
}
