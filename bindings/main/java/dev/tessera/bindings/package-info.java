/**
 * Tessera's C interface in Java, and the loading of its library.
 *
 * <p>{@code tessera_h} and the classes named after C structs are generated at build time from
 * {@code tessera.h}, in the shape of jextract. They look symbols up in the libraries that their
 * class loader has loaded, so {@link dev.tessera.bindings.NativeLibrary#load} comes before the
 * first use of {@code tessera_h}.
 *
 * <p>{@code libtessera.so} is looked for in this order:
 *
 * <ol>
 *   <li>The system property {@code tessera.library.path}, a file or a folder. If it is set, nothing
 *       else is tried: a library that somebody chose must not be replaced silently.
 *   <li>The copy in Tessera's own jar, unpacked into a private folder: {@code tessera.cache.dir} if
 *       that property is set, otherwise {@code tessera} in {@code $XDG_CACHE_HOME} or {@code
 *       ~/.cache}. Size and SHA-256 of each file are checked against the jar's manifest every time,
 *       and a file that differs is unpacked again. A folder that others may write to is refused.
 *   <li>{@code System.loadLibrary("tessera")}: {@code java.library.path}.
 * </ol>
 *
 * <p>Layers need oneDNN, 93 MB that come from the jar {@code org.bytedeco:dnnl}. They are unpacked
 * by {@link dev.tessera.bindings.NativeLibrary#prepareLayers}, so that who only quantises does not
 * pay for them. The plug-ins of other backends come likewise from the jar {@code
 * dev.tessera:tessera-cuda}, where that is on the class path: {@link
 * dev.tessera.bindings.NativeLibrary#preparePlugin}.
 */
@NullMarked
package dev.tessera.bindings;

import org.jspecify.annotations.NullMarked;
