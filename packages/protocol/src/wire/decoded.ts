/** What can be wrong with a frame. The receiver puts its room before it: `gossip/too-big`. Only `unknown-kind` is nobody's fault. */
export type FrameCode =
  | 'too-big'
  | 'undecodable'
  | 'bad-shape'
  | 'bad-version'
  | 'unknown-kind'
  | 'not-canonical'

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: FrameCode }

export function okay<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}

export function refused(code: FrameCode): { readonly ok: false; readonly code: FrameCode } {
  return { ok: false, code }
}
