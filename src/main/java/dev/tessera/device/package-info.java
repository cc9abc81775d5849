/**
 * Devices and the memory on them: {@link Device}, {@link Stream}, {@link Tensor}, {@link
 * Workspace}.
 *
 * <p>Everything native is owned by an object with {@code close()}. A call acquires what it uses and
 * releases it afterwards, so closing something during a call throws, and using something after it
 * was closed throws: no mistake of a caller reaches native memory that is gone.
 */
@NullMarked
package dev.tessera.device;

import org.jspecify.annotations.NullMarked;
