import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { BrokerError } from '../../domain/errors.ts';

const inflateEither = (bytes: Buffer, options: { readonly maxOutputLength: number }) =>
  // Some servers send raw deflate where the zlib wrapper is due (RFC 9110 §8.4.1.2). The wrapper's first byte has 8
  // in its low half.
  ((bytes[0] ?? 0) & 0x0f) === 8 ? promisify(inflate)(bytes, options) : promisify(inflateRaw)(bytes, options);

const decoders: Readonly<Record<string, typeof inflateEither>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: inflateEither,
  br: promisify(brotliDecompress),
};

/**
 * Reads a body of at most `maxBytes` as they come over the wire, and at most as many once decoded.
 *
 * Throws `provider_answer_invalid` for more, for a content coding that it does not know and for a body that does not
 * decode.
 */
export async function readBody(
  stream: AsyncIterable<Uint8Array>,
  contentEncoding: string,
  maxBytes: number,
): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxBytes) {
      // Leaving the loop destroys the stream and its socket.
      throw tooLarge(maxBytes);
    }
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const coding = contentEncoding.trim().toLowerCase();
  return body.length === 0 || coding === '' || coding === 'identity' ? body : decode(body, coding, maxBytes);
}

async function decode(body: Buffer, coding: string, maxBytes: number): Promise<Buffer<ArrayBuffer>> {
  const decoder = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined;
  if (decoder === undefined) {
    throw answerInvalid('an unknown content coding');
  }
  try {
    return Buffer.from(await decoder(body, { maxOutputLength: maxBytes }));
  } catch (error) {
    throw codeOf(error) === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(maxBytes) : answerInvalid('a body that does not decode');
  }
}

export function answerInvalid(detail: string): BrokerError {
  return new BrokerError('provider_answer_invalid', "The provider's answer could not be read.", { detail });
}

function tooLarge(maxBytes: number): BrokerError {
  return answerInvalid(`a body of more than ${maxBytes} bytes`);
}

/** The code that Node and undici give an error, if it has one. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
