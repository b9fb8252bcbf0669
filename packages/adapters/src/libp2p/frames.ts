/** Bounds of one side of a request stream: payload bytes over all frames, and frames. */
export interface FrameBounds {
  readonly bytesMax: number
  readonly framesMax: number
}

const LENGTH_BYTES = 4
/** Room taken at first for a frame: a length is only a claim until its bytes have come. */
const FIRST_BYTES = 65_536

/** A payload behind its length, u32 big-endian. */
export function toFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH_BYTES + payload.length)
  new DataView(frame.buffer).setUint32(0, payload.length)
  frame.set(payload, LENGTH_BYTES)
  return frame
}

/** Puts frames together from chunks of any size. Refuses a frame by its length, before its bytes have come. */
export function createFrameReader({ bytesMax, framesMax }: FrameBounds) {
  const frames: Uint8Array[] = []
  const header = new Uint8Array(LENGTH_BYTES)
  let headerFilled = 0
  let body: Uint8Array = new Uint8Array(0)
  let bodyFilled = 0
  let length = -1
  let total = 0

  /** False: over the bounds; nothing more may be pushed. */
  function push(chunk: Uint8Array): boolean {
    let offset = 0
    while (offset < chunk.length) {
      if (length < 0) {
        header[headerFilled++] = chunk[offset++] ?? 0
        if (headerFilled === LENGTH_BYTES && !begin()) return false
      } else {
        const part = chunk.subarray(offset, offset + length - bodyFilled)
        append(part)
        offset += part.length
      }
      if (length >= 0 && bodyFilled === length) end()
    }
    return true
  }

  function begin(): boolean {
    length = new DataView(header.buffer).getUint32(0)
    total += length
    if (total > bytesMax || frames.length >= framesMax) return false
    body = new Uint8Array(Math.min(length, FIRST_BYTES))
    bodyFilled = 0
    return true
  }

  function append(part: Uint8Array): void {
    if (bodyFilled + part.length > body.length) {
      const wider = new Uint8Array(
        Math.min(length, Math.max(2 * body.length, bodyFilled + part.length)),
      )
      wider.set(body.subarray(0, bodyFilled))
      body = wider
    }
    body.set(part, bodyFilled)
    bodyFilled += part.length
  }

  function end(): void {
    frames.push(body.subarray(0, length))
    headerFilled = 0
    length = -1
  }

  return {
    push,
    frames: frames as readonly Uint8Array[],
    /** A frame has begun and not ended. */
    isPartial: () => headerFilled > 0,
  }
}
