// What a response is written in.

/** Bytes of a response; text goes out as UTF-8. */
export type BodyChunk = Uint8Array | string

export const bytesOf = (chunk: BodyChunk): Uint8Array => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
