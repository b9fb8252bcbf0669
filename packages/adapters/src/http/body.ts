import type { IncomingMessage } from 'node:http'

/** A request body as text, or how many bytes too many it had. */
export type Body = { readonly text: string } | { readonly bytes: number }

/**
 * Reads a body of at most `bytesMax`, counting what comes: a missing or false `content-length` is no way round the limit. What is too long is
 * read on without being kept, up to as much again, so that an honest client can hear the refusal before its connection ends. `done` is
 * called once, or never when the client goes away.
 */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  done: (body: Body) => void,
): void {
  const claimed = Number(request.headers['content-length'] ?? 0)
  let chunks: Buffer[] = []
  let bytes = 0
  let refused = false

  if (claimed > bytesMax * 2) return done({ bytes: claimed })
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= bytesMax) chunks.push(chunk)
    else chunks = []
    if (bytes > bytesMax * 2 && !refused) {
      refused = true
      done({ bytes })
    }
  })
  request.on('end', () => {
    if (refused) return
    if (bytes > bytesMax) return done({ bytes: Math.max(bytes, claimed) })
    const [first] = chunks
    const whole = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks)
    done({ text: whole.toString('utf8') })
  })
}
