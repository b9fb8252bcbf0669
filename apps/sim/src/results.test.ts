import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { junitXml, type Results, resultJson, writeResults } from './results.ts'

const results: Results = {
  ...{ name: 'swarm', gear: 'sim', seed: '7', exitCode: 129, nodeHours: 1.5 },
  seconds: 3.25,
  coverage: { 'chain/reorg': 2, 'pool/added': 9 },
  cases: [
    { name: 'seed 6', seconds: 1.25 },
    {
      name: 'seed 7',
      seconds: 2,
      failure: { id: 'nonce-gap', kind: 'correctness', text: 'a "gap" of <3> & a bell \u0007' },
    },
  ],
  again: 'npm run sim -- one 7',
}

test('result.json says seed, gear, node-hours, coverage, the first violation and the line that runs it again', () => {
  expect(resultJson(results)).toMatchObject({
    ...{ name: 'swarm', gear: 'sim', seed: '7', exitCode: 129, nodeHours: 1.5 },
    ...{ cases: 2, failures: 1, again: 'npm run sim -- one 7' },
    firstViolation: { of: 'seed 7', id: 'nonce-gap', kind: 'correctness' },
    sometimes: { seen: ['chain/reorg'], unseen: expect.arrayContaining(['sync/fetched']) },
  })
  const clean = resultJson({ ...results, cases: results.cases.slice(0, 1) })
  expect(clean).toMatchObject({ failures: 0, firstViolation: null })
})

test('junit.xml has a case for each thing, with nothing in it that XML cannot hold', () => {
  const lines = junitXml(results).split('\n')
  expect(lines[1]).toBe('<testsuites tests="2" failures="1" time="3.250">')
  expect(lines).toContain('    <testcase classname="swarm (sim)" name="seed 6" time="1.250"/>')
  expect(lines).toContain(
    '      <failure type="correctness" message="nonce-gap">a &quot;gap&quot; of &lt;3&gt; &amp; a bell ?</failure>',
  )
})

test('both are written into a folder that need not be there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-results-'))
  try {
    writeResults(join(folder, 'a/b'), results)
    expect(JSON.parse(readFileSync(join(folder, 'a/b/result.json'), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(resultJson(results))),
    )
    expect(readFileSync(join(folder, 'a/b/junit.xml'), 'utf8')).toBe(junitXml(results))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
