import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type OverlayLine, parseOverlay, parseTrace, type Trace } from '@rockpool/pool/trace'

/** A file to be replayed, and what a manifest says of it. */
export interface TraceFile {
  readonly path: string
  readonly quirks: readonly string[]
  /** SHA-256 the file should have. */
  readonly sha256?: string
}

export interface ReadTrace {
  readonly trace: Trace
  /** What stands in the place of recorded lines in mode `fixed`. */
  readonly overlay: ReadonlyMap<number, OverlayLine> | undefined
}

/** Text of a trace is ASCII, which is hashed faster by its single bytes. */
export const sha256Of = (data: string | Uint8Array): string =>
  (typeof data === 'string'
    ? createHash('sha256').update(data, 'latin1')
    : createHash('sha256').update(data)
  ).digest('hex')

const tracePattern = /\.jsonl(?:\.gz)?$/
const overlayPattern = /\.fixed\.jsonl(?:\.gz)?$/

/** The traces of a file or folder; of a folder with a manifest those it lists, else all in it. Throws with a sentence for people. */
export function findTraces(path: string): TraceFile[] {
  if (!existsSync(path)) throw new Error(`${path}: no such file or folder`)
  if (!statSync(path).isDirectory()) return [{ path, quirks: listedIn(dirname(path), path) }]
  const manifest = join(path, 'MANIFEST.json')
  if (existsSync(manifest)) return listed(path, manifest)
  const all = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort()
  // One folder down each may have a manifest of its own.
  const manifests = all.filter(name => basename(name) === 'MANIFEST.json')
  const folders = manifests.map(name => dirname(name))
  const names = all
    .filter(name => tracePattern.test(name) && !overlayPattern.test(name))
    .filter(name => !folders.some(folder => name.startsWith(`${folder}/`)))
  const found = manifests.flatMap(name => listed(join(path, dirname(name)), join(path, name)))
  found.push(...names.map(name => ({ path: join(path, name), quirks: [] })))
  if (found.length === 0) throw new Error(`${path}: no traces (*.jsonl, *.jsonl.gz) in it`)
  return found
}

/** The trace in a file and its overlay; a sentence when it is none. */
export function readTrace({ path, sha256 }: TraceFile): ReadTrace | string {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (error) {
    return `cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`
  }
  if (sha256 !== undefined && sha256Of(bytes) !== sha256)
    return 'is not the file the manifest lists'
  const text = textOf(path, bytes)
  if (text === undefined) return 'is not gzip'
  const trace = parseTrace(text, sha256Of)
  if (!trace.ok) return trace.why
  const overlayFile = overlayPath(path)
  if (!existsSync(overlayFile)) return { trace: trace.value, overlay: undefined }
  const overlay = parseOverlay(textOf(overlayFile, readFileSync(overlayFile)) ?? '')
  if (!overlay.ok) return `overlay: ${overlay.why}`
  return { trace: trace.value, overlay: overlay.value }
}

/** Where the overlay of a trace stands. */
export function overlayPath(path: string): string {
  return path.replace(tracePattern, '.fixed.jsonl.gz')
}

function textOf(path: string, bytes: Uint8Array): string | undefined {
  try {
    return path.endsWith('.gz')
      ? gunzipSync(bytes).toString('utf8')
      : Buffer.from(bytes).toString('utf8')
  } catch {
    return undefined
  }
}

interface Manifest {
  readonly files?: readonly {
    readonly file: string
    readonly sha256?: string
    readonly quirks?: string[]
  }[]
}

function isListed(entry: unknown): boolean {
  if (typeof entry !== 'object' || entry === null) return false
  const { file, sha256, quirks } = entry as Record<string, unknown>
  const hasRows = quirks === undefined || Array.isArray(quirks)
  return typeof file === 'string' && (sha256 === undefined || typeof sha256 === 'string') && hasRows
}

function listed(folder: string, manifest: string): TraceFile[] {
  let files: Manifest['files']
  try {
    files = (JSON.parse(readFileSync(manifest, 'utf8')) as Manifest).files
  } catch {
    throw new Error(`${manifest}: not JSON (trace/malformed)`)
  }
  if (!Array.isArray(files) || !files.every(isListed))
    throw new Error(`${manifest}: lists no files (trace/malformed)`)
  return files.map(({ file, sha256, quirks = [] }) => ({
    path: join(folder, file),
    ...(sha256 !== undefined && { sha256 }),
    quirks,
  }))
}

/** Rows a manifest in the folder, or the one above it, names for a single file. */
function listedIn(folder: string, path: string): readonly string[] {
  for (const [root, name] of [
    [folder, basename(path)],
    [dirname(folder), join(basename(folder), basename(path))],
  ] as const) {
    const manifest = join(root, 'MANIFEST.json')
    if (!existsSync(manifest)) continue
    const found = listed(root, manifest).find(file => file.path === join(root, name))
    if (found !== undefined) return found.quirks
  }
  return []
}
