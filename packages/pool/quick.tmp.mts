import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { createHash } from 'node:crypto'
import { createRecovery, type Recovery } from '@rockpool/protocol'
import { createTestCrypto, keccak256 } from '/tmp/rp/wt/geth/packages/protocol/src/testkit/crypto.ts'
import * as T from '/tmp/rp/wt/geth/packages/pool/src/trace/index.ts'
const root = '/tmp/rp/wt/geth/vectors/pool/'
const sha256 = (t: string) => createHash('sha256').update(t).digest('hex')
const recs = new Map<bigint, Recovery>()
const crypto = createTestCrypto()
const tools = { keccak256, sha256, recovery: (id: bigint) => { let r = recs.get(id); if (!r) recs.set(id, r = createRecovery(crypto, id, 100000)); return r } }
const [compat = 'geth', filter = '', n = '3', check='1'] = process.argv.slice(2)
let eq = 0, df = 0, ops = 0, ms = 0, prep = 0
const cov = new Map<string, number>()
for (const f of JSON.parse(readFileSync(root + 'MANIFEST.json', 'utf8')).files) {
  if (!f.file.includes(filter)) continue
  const p = T.parseTrace(gunzipSync(readFileSync(root + f.file)).toString(), sha256)
  if (!p.ok) { console.log(f.file, p.why); continue }
  const t0 = performance.now()
  const txs = await T.prepareTrace(p.value, tools as any)
  prep += performance.now() - t0
  const t = performance.now()
  let r
  try { r = T.replayPrepared(p.value, txs, tools as any, { compat: compat as any, checkEvery: Number(check) }) } catch (e) { console.log('THROW', f.file, (e as Error).stack); df++; continue }
  ms += performance.now() - t
  ops += r.operations
  if (f.exact) T.addCoverage(cov, r.coverage)
  if (r.differences.length === 0) eq++
  else { df++; const d = r.differences[0]!; console.log('DIFF', f.file, f.quirks.join(), 'line', d.line, d.kind, '\n   ', d.what.slice(0, Number(n)).map(x => x.slice(0, 500)).join('\n    ')) }
}
console.log({ eq, df, ops, ms: Math.round(ms), prep: Math.round(prep), rate: Math.round(ops / ms * 1000) }); console.log(T.coverageGaps(cov))
