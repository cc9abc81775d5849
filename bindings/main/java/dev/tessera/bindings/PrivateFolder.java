package dev.tessera.bindings;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * A folder that only this user can write to. A library is code: whoever can replace the file
 * between its check and its loading runs code in this JVM.
 */
final class PrivateFolder {
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rwx------");

  private PrivateFolder() {}

  /**
   * Creates the folder with mode 0700 if it is not there, and checks it. Parents are created with
   * the process's defaults.
   *
   * @throws IOException if it cannot be created, or if it is a link, belongs to another user, or
   *     may be written by others; the message names it and says what to do
   */
  static Path open(Path folder) throws IOException {
    Path parent = folder.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    try {
      Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
    } catch (FileAlreadyExistsException e) {
      // Checked below like a new one.
    }
    check(folder);
    return folder;
  }

  private static void check(Path folder) throws IOException {
    PosixFileAttributes attributes =
        Files.readAttributes(folder, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    if (!attributes.isDirectory()) {
      throw unsafe(folder, "is not a folder (links are not followed)");
    }
    Object owner = Files.getAttribute(folder, "unix:uid", LinkOption.NOFOLLOW_LINKS);
    Object self = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    if (!owner.equals(self)) {
      throw unsafe(folder, "belongs to user " + attributes.owner().getName());
    }
    Set<PosixFilePermission> permissions = attributes.permissions();
    if (permissions.contains(PosixFilePermission.GROUP_WRITE)
        || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
      throw unsafe(
          folder,
          "may be written by others ("
              + PosixFilePermissions.toString(permissions)
              + "; chmod 700 makes it safe)");
    }
  }

  private static IOException unsafe(Path folder, String why) {
    return new IOException(
        folder
            + " "
            + why
            + ", so no library is loaded from it; -D"
            + LibraryCache.PROPERTY
            + "=FOLDER chooses another folder");
  }
}
