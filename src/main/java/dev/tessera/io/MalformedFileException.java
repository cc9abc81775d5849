package dev.tessera.io;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A file's content is not what its format demands. The message is one line for a user: the file,
 * the byte offset where there is one, what is there and what should be.
 */
public final class MalformedFileException extends IOException {
  private static final long serialVersionUID = 1L;

  /** The whole file is wrong, or the place is not known. */
  public MalformedFileException(String file, String problem) {
    super(file + ": " + problem);
  }

  /** The whole file is wrong, or the place is not known. */
  public MalformedFileException(Path file, String problem) {
    this(file.toString(), problem);
  }

  /** What a decoder of the JDK or a library complained about. */
  public MalformedFileException(String file, String problem, Throwable cause) {
    super(file + ": " + problem, cause);
  }

  /** Something is wrong at byte {@code offset}, counted from the start of the file. */
  public MalformedFileException(String file, long offset, String problem) {
    super(file + ": at byte " + offset + ": " + problem);
  }

  /** Something is wrong at byte {@code offset}, counted from the start of the file. */
  public MalformedFileException(Path file, long offset, String problem) {
    this(file.toString(), offset, problem);
  }
}
