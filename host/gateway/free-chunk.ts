// Gives the memory of a body chunk back at once, when its bytes have gone on. A chunk is a small object with 64 KB behind
// it: V8 counts the small object, so that a large upload would pile up some 64 MB of it before a collection.
// Only for chunks of our own sockets: the listeners of an embedding program may still hold the others.

/** Frees a chunk that is the whole of its memory; a part of something larger is left to the collector. */
export const freeChunk = (chunk: Uint8Array): void => {
  const { buffer } = chunk
  if (buffer instanceof ArrayBuffer && chunk.byteLength === buffer.byteLength && chunk.byteLength > 0) buffer.transfer(0)
}
