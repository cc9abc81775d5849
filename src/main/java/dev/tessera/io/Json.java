package dev.tessera.io;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.ser.std.StdSerializer;

/**
 * JSON between files and records, strictly: keys are in snake_case, and unknown, missing and
 * repeated keys, text after the document and values of another type are refused. Enums are in lower
 * case; numbers that are not finite are written as null, since JSON has none.
 */
public final class Json {
  /** Largest document read, in bytes. */
  public static final int MAX_BYTES = 1 << 20;

  private static final JsonMapper MAPPER = mapper();

  /** Takes records with holes, to find out whether a missing key is there under a wrong name. */
  private static final JsonMapper LENIENT =
      MAPPER
          .rebuild()
          .disable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  private static final Pattern MISSING = Pattern.compile("Missing \\w*\\s?creator property .*");

  private Json() {}

  /**
   * Reads a file into a record; every component must be there.
   *
   * @throws MalformedFileException if it is longer than {@link #MAX_BYTES}, not JSON, does not fit
   *     {@code type}, or the record's constructor refuses it
   */
  public static <T> T read(Path file, Class<T> type) throws IOException {
    return parse(file.toString(), readBytes(file), type);
  }

  /** Keys of a document that was read, into which those that it lacks can be put. */
  public interface Keys {
    /**
     * Puts {@code value} under {@code path}, keys joined by dots, if the object that it belongs to
     * is there and has no such key.
     *
     * @param value a string, number or boolean, or null
     */
    void absent(String path, @Nullable Object value);
  }

  /**
   * Like {@link #read(Path, Class)}, for a format that has got new keys: {@code later} puts those
   * in that an older file lacks.
   */
  public static <T> T read(Path file, Class<T> type, Consumer<Keys> later) throws IOException {
    String name = file.toString();
    String text = decode(name, readBytes(file));
    try {
      if (MAPPER.readTree(text) instanceof ObjectNode document) {
        later.accept((path, value) -> putAbsent(document, path, value));
        text = MAPPER.writeValueAsString(document);
      }
    } catch (JacksonException e) {
      throw malformed(name, e);
    }
    return parse(name, text.getBytes(StandardCharsets.UTF_8), type);
  }

  private static void putAbsent(ObjectNode document, String path, @Nullable Object value) {
    String[] keys = path.split("\\.", -1);
    ObjectNode at = document;
    for (int i = 0; i < keys.length - 1; i++) {
      if (!(at.get(keys[i]) instanceof ObjectNode inner)) {
        return;
      }
      at = inner;
    }
    String last = keys[keys.length - 1];
    if (!at.has(last)) {
      at.set(last, MAPPER.valueToTree(value));
    }
  }

  /** Reads a document that is in memory; {@code name} stands for the file in messages. */
  public static <T> T parse(String name, byte[] json, Class<T> type) throws MalformedFileException {
    String text = decode(name, json);
    try {
      return present(name, MAPPER.readValue(text, type));
    } catch (JacksonException e) {
      throw malformed(name, misspelling(text, type, e));
    }
  }

  /**
   * Reads a file over {@code defaults}, a record: what the file leaves out, in nested objects too,
   * is taken from there. Unknown keys are refused all the same.
   */
  public static <T> T readOver(Path file, T defaults) throws IOException {
    String name = file.toString();
    try {
      JsonNode document = MAPPER.readTree(decode(name, readBytes(file)));
      if (!(document instanceof ObjectNode given)) {
        throw new MalformedFileException(name, "must be one JSON object");
      }
      ObjectNode merged = MAPPER.valueToTree(defaults);
      overlay(merged, given);
      @SuppressWarnings("unchecked")
      Class<T> type = (Class<T>) defaults.getClass();
      return present(name, MAPPER.treeToValue(merged, type));
    } catch (JacksonException e) {
      throw malformed(name, e);
    }
  }

  /** Writes a record, indented and with a newline at the end, atomically. */
  public static void write(Path file, Object value) throws IOException {
    AtomicFiles.write(file, pretty(value) + "\n");
  }

  /** A record on one line, without a newline: what {@code --json} prints. */
  public static String line(Object value) {
    return MAPPER.writeValueAsString(value);
  }

  /** A record, indented, without a newline at the end. */
  public static String pretty(Object value) {
    return MAPPER
        .writer()
        .with(SerializationFeature.INDENT_OUTPUT)
        .writeValueAsString(value)
        .replace(System.lineSeparator(), "\n");
  }

  /** What Jackson found, on one line, with the place and a suggestion where it has them. */
  static String describe(JacksonException failure) {
    StringBuilder text = new StringBuilder();
    TokenStreamLocation location = failure.getLocation();
    if (location != null && location.getLineNr() > 0) {
      text.append("line ").append(location.getLineNr());
      text.append(", column ").append(location.getColumnNr()).append(": ");
    }
    String where = pathOf(failure);
    if (failure instanceof UnrecognizedPropertyException unknown) {
      TreeSet<String> known = new TreeSet<>();
      if (unknown.getKnownPropertyIds() != null) {
        unknown.getKnownPropertyIds().forEach(id -> known.add(id.toString()));
      }
      text.append("unknown key '").append(where).append("'");
      text.append(NearestName.hint(unknown.getPropertyName(), known));
    } else if (MISSING.matcher(failure.getOriginalMessage()).matches()) {
      text.append("missing key '").append(where).append("'");
    } else {
      if (!where.isEmpty()) {
        text.append(where).append(": ");
      }
      text.append(failure.getOriginalMessage());
    }
    String line = text.toString().replaceAll("\\p{Cntrl}+", " ");
    return line.length() > 600 ? line.substring(0, 600) + "..." : line;
  }

  private static String pathOf(JacksonException failure) {
    StringBuilder path = new StringBuilder();
    for (JacksonException.Reference step : failure.getPath()) {
      String name = step.getPropertyName();
      if (name == null) {
        path.append('[').append(step.getIndex()).append(']');
      } else {
        path.append(path.isEmpty() ? "" : ".").append(name);
      }
    }
    return path.toString();
  }

  private static byte[] readBytes(Path file) throws IOException {
    long size = Files.size(file);
    if (size > MAX_BYTES) {
      throw new MalformedFileException(
          file, size + " bytes of JSON; at most " + MAX_BYTES + " are read");
    }
    return Files.readAllBytes(file);
  }

  private static String decode(String name, byte[] json) throws MalformedFileException {
    if (json.length > MAX_BYTES) {
      throw new MalformedFileException(
          name, json.length + " bytes of JSON; at most " + MAX_BYTES + " are read");
    }
    String text = new String(json, StandardCharsets.UTF_8);
    int at = Arrays.mismatch(json, text.getBytes(StandardCharsets.UTF_8));
    if (at >= 0) {
      throw new MalformedFileException(name, at, "not UTF-8");
    }
    return text;
  }

  private static <T> T present(String name, T value) throws MalformedFileException {
    if (value == null) {
      throw new MalformedFileException(name, "must be a JSON value other than null");
    }
    return value;
  }

  /** An unknown key explains a missing one: Jackson only finds the latter. */
  private static JacksonException misspelling(String json, Class<?> type, JacksonException found) {
    try {
      LENIENT.readValue(json, type);
    } catch (UnrecognizedPropertyException unknown) {
      return unknown;
    } catch (JacksonException e) {
      return found;
    }
    return found;
  }

  private static MalformedFileException malformed(String name, JacksonException failure) {
    return new MalformedFileException(name, describe(failure), failure);
  }

  private static void overlay(ObjectNode base, ObjectNode given) {
    given.forEachEntry(
        (key, value) -> {
          if (value instanceof ObjectNode nested && base.get(key) instanceof ObjectNode inner) {
            overlay(inner, nested);
          } else {
            base.set(key, value);
          }
        });
  }

  private static JsonMapper mapper() {
    JsonFactory factory =
        JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(64)
                    .maxDocumentLength(MAX_BYTES)
                    .build())
            .build();
    return JsonMapper.builder(factory)
        .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
        .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
        .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
        .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
        .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
        .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
        .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
        .enable(EnumFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
        .enable(EnumFeature.WRITE_ENUMS_TO_LOWERCASE)
        .addModule(
            new SimpleModule("finite")
                .addSerializer(new FiniteDouble(Double.class))
                .addSerializer(new FiniteDouble(double.class))
                .addSerializer(new FiniteFloat(Float.class))
                .addSerializer(new FiniteFloat(float.class)))
        .build();
  }

  /** Writes NaN and infinities as null. */
  private static final class FiniteDouble extends StdSerializer<Double> {
    FiniteDouble(Class<Double> type) {
      super(type);
    }

    @Override
    public void serialize(Double value, JsonGenerator out, SerializationContext context) {
      if (Double.isFinite(value)) {
        out.writeNumber(value);
      } else {
        out.writeNull();
      }
    }
  }

  /** Writes NaN and infinities as null. */
  private static final class FiniteFloat extends StdSerializer<Float> {
    FiniteFloat(Class<Float> type) {
      super(type);
    }

    @Override
    public void serialize(Float value, JsonGenerator out, SerializationContext context) {
      if (Float.isFinite(value)) {
        out.writeNumber(value);
      } else {
        out.writeNull();
      }
    }
  }
}
