package dev.tessera.io;

import java.awt.image.BufferedImage;
import java.awt.image.ComponentSampleModel;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Reads PNG and JPEG files and writes PNG. The pixels are the stored numbers: no gamma, profile or
 * orientation is applied. Sizes are checked from the header, and against what the file's length can
 * possibly hold, before any pixel is decoded.
 */
public final class ImageFiles {
  /** Largest image read unless the caller says otherwise: 2<sup>26</sup> pixels, as 8192x8192. */
  public static final long MAX_PIXELS = 1L << 26;

  /** Longest file read. */
  private static final long MAX_FILE_BYTES = 1L << 28;

  /** Headers lie within this many bytes, unless a JPEG file has large profiles before its frame. */
  private static final int HEADER_BYTES = 1 << 18;

  /** Deflate makes at most this many bytes of one. */
  private static final long DEFLATE_LIMIT = 1032;

  /** 64 pixels of a JPEG file take at least a bit. */
  private static final long JPEG_PIXELS_PER_BYTE = 512;

  private ImageFiles() {}

  /** Whether a file's name ends as those of the readable formats do: .png, .jpg or .jpeg. */
  public static boolean hasImageName(Path file) {
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    return name.endsWith(".png") || name.endsWith(".jpg") || name.endsWith(".jpeg");
  }

  /**
   * Size and channels, without reading the pixels.
   *
   * @throws MalformedFileException if the file is neither PNG nor JPEG, or its header is broken or
   *     of a kind that {@link #read} refuses
   */
  public static ImageHeader readHeader(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] start = in.readNBytes(HEADER_BYTES);
      return header(file.toString(), start);
    }
  }

  /** Reads an image of at most {@link #MAX_PIXELS}. */
  public static PixelImage read(Path file) throws IOException {
    return read(file, MAX_PIXELS);
  }

  /**
   * Reads an image: grey (PNG of 1 to 8 bits, grey JPEG) with 1 channel, all else with 3. A PNG
   * file may have an alpha channel if all of it is opaque.
   *
   * @throws MalformedFileException if the file is damaged, is not an 8-bit PNG or JPEG, is
   *     transparent somewhere, or has more than {@code maxPixels}
   */
  public static PixelImage read(Path file, long maxPixels) throws IOException {
    String name = file.toString();
    long size = Files.size(file);
    if (size > MAX_FILE_BYTES) {
      throw new MalformedFileException(
          name, size + " bytes; at most " + MAX_FILE_BYTES + " are read");
    }
    byte[] bytes = Files.readAllBytes(file);
    ImageHeader header = header(name, bytes);
    long pixels = (long) header.height() * header.width();
    long most = Math.min(maxPixels, Integer.MAX_VALUE / 4);
    if (pixels > most) {
      throw new MalformedFileException(
          name, header + " is " + pixels + " pixels; at most " + most + " are read");
    }
    long least =
        PngFile.hasSignature(bytes)
            ? PngFile.inflatedBytes(bytes, header) / DEFLATE_LIMIT
            : pixels / JPEG_PIXELS_PER_BYTE;
    if (bytes.length < least) {
      throw new MalformedFileException(
          name, header + " cannot come out of a file of " + bytes.length + " bytes");
    }
    return PngFile.hasSignature(bytes)
        ? decode(name, "png", PngFile.critical(name, bytes), header)
        : decode(name, "jpeg", JpegFile.essential(name, bytes), header);
  }

  /** Writes an image as 8-bit PNG, atomically. */
  public static void writePng(Path file, PixelImage image) throws IOException {
    AtomicFiles.write(file, png(image));
  }

  /** An image as the bytes of a PNG file. */
  public static byte[] png(PixelImage image) throws IOException {
    boolean grey = image.channels() == 1;
    BufferedImage buffered =
        new BufferedImage(
            image.width(),
            image.height(),
            grey ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_3BYTE_BGR);
    WritableRaster raster = buffered.getRaster();
    raster.setDataElements(0, 0, image.width(), image.height(), image.pixels());
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    if (!ImageIO.write(buffered, "png", bytes)) {
      throw new IOException("this JDK has no PNG writer");
    }
    return bytes.toByteArray();
  }

  private static ImageHeader header(String name, byte[] bytes) throws MalformedFileException {
    if (PngFile.hasSignature(bytes)) {
      return PngFile.header(name, bytes);
    }
    if (JpegFile.hasSignature(bytes)) {
      return JpegFile.header(name, bytes);
    }
    throw new MalformedFileException(name, 0, "neither a PNG nor a JPEG file");
  }

  private static PixelImage decode(String name, String format, byte[] bytes, ImageHeader header)
      throws IOException {
    ImageReader reader = ImageIO.getImageReadersByFormatName(format).next();
    String[] complaint = new String[1];
    try (MemoryCacheImageInputStream in =
        new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
      reader.setInput(in, true, true);
      reader.addIIOReadWarningListener((source, warning) -> complaint[0] = warning);
      BufferedImage image = reader.read(0);
      checkComplaint(name, complaint[0]);
      if (image.getWidth() != header.width() || image.getHeight() != header.height()) {
        throw new MalformedFileException(name, "decodes to another size than " + header);
      }
      return pixels(name, image, header);
    } catch (MalformedFileException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      throw new MalformedFileException(
          name, "damaged " + format + " data: " + message.replaceAll("\\p{Cntrl}+", " "), e);
    } finally {
      reader.dispose();
    }
  }

  /** The decoder's warnings are damage it has papered over, as grey blocks for a missing end. */
  private static void checkComplaint(String name, @Nullable String complaint)
      throws MalformedFileException {
    if (complaint != null) {
      throw new MalformedFileException(name, "damaged image data: " + complaint);
    }
  }

  /** Stored samples as they are: BufferedImage's own conversions would apply a gamma to grey. */
  private static PixelImage pixels(String name, BufferedImage image, ImageHeader header)
      throws MalformedFileException {
    Raster raster = image.getRaster();
    int bands = raster.getNumBands();
    int height = header.height();
    int width = header.width();
    byte[] pixels = new byte[height * width * header.channels()];
    if (image.getColorModel() instanceof IndexColorModel palette) {
      copyIndexed(raster, palette, header, pixels);
    } else if (raster.getSampleModel() instanceof ComponentSampleModel model
        && raster.getDataBuffer() instanceof DataBufferByte buffer
        && (bands == header.channels() || bands == header.channels() + 1)) {
      copyBands(name, model, buffer.getData(), header, pixels);
    } else {
      throw new MalformedFileException(name, "pixels in a layout that is not 8-bit grey or RGB");
    }
    return new PixelImage(height, width, header.channels(), pixels);
  }

  private static void copyBands(
      String name, ComponentSampleModel model, byte[] data, ImageHeader header, byte[] pixels)
      throws MalformedFileException {
    int channels = header.channels();
    int[] offsets = model.getBandOffsets();
    int to = 0;
    for (int y = 0; y < header.height(); y++) {
      int from = y * model.getScanlineStride();
      for (int x = 0; x < header.width(); x++, from += model.getPixelStride()) {
        for (int c = 0; c < channels; c++) {
          pixels[to++] = data[from + offsets[c]];
        }
        if (offsets.length > channels && data[from + offsets[channels]] != -1) {
          throw new MalformedFileException(
              name, "pixel (" + x + ", " + y + ") is transparent; flatten the image first");
        }
      }
    }
  }

  private static void copyIndexed(
      Raster raster, IndexColorModel palette, ImageHeader header, byte[] pixels) {
    int[] row = new int[header.width()];
    int to = 0;
    for (int y = 0; y < header.height(); y++) {
      raster.getSamples(0, y, header.width(), 1, 0, row);
      for (int index : row) {
        int colour = palette.getRGB(index);
        if (header.channels() == 3) {
          pixels[to++] = (byte) (colour >> 16);
          pixels[to++] = (byte) (colour >> 8);
        }
        pixels[to++] = (byte) colour;
      }
    }
  }
}
