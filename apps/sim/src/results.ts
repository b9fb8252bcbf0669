import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mustBeSeen, type ViolationKind } from '@rockpool/sim'

/** One thing that was looked at: an expectation of a scenario, a seed of a swarm. */
interface ResultCase {
  readonly name: string
  readonly seconds: number
  /** Absent: it came as expected. */
  readonly failure?: { readonly id: string; readonly kind: ViolationKind; readonly text: string }
}

/** How a command ended, for whoever cannot read a screen. */
export interface Results {
  /** Of the whole: `scenario hello`, `swarm`. */
  readonly name: string
  readonly gear: string
  /** Of the first failure; of a clean scenario its own; of a clean swarm the first of its seeds. */
  readonly seed: string
  readonly exitCode: number
  readonly nodeHours: number
  /** Of a swarm CPU time, of a scenario its own time; so are those of the cases. */
  readonly seconds: number
  /** Labels and log codes that were seen, with how often. */
  readonly coverage: Readonly<Record<string, number>>
  readonly cases: readonly ResultCase[]
  /** One line that runs what failed again; when nothing did, the same again. */
  readonly again: string
}

/** Writes `result.json` and `junit.xml` into a folder, which is made. */
export function writeResults(folder: string, results: Results): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'result.json'), `${JSON.stringify(resultJson(results), null, 2)}\n`)
  writeFileSync(join(folder, 'junit.xml'), junitXml(results))
}

/** As `result.json` has it. */
export function resultJson({ cases, coverage, again, ...rest }: Results) {
  const first = cases.find(({ failure }) => failure !== undefined)
  return {
    ...rest,
    sometimes: {
      seen: mustBeSeen.filter(label => label in coverage),
      unseen: mustBeSeen.filter(label => !(label in coverage)),
    },
    coverage,
    cases: cases.length,
    failures: cases.filter(({ failure }) => failure !== undefined).length,
    firstViolation: first?.failure === undefined ? null : { of: first.name, ...first.failure },
    again,
  }
}

/** As `junit.xml` has it: a suite with a case for each thing that was looked at. */
export function junitXml({ name, gear, seed, seconds, cases, again }: Results): string {
  const failures = cases.filter(({ failure }) => failure !== undefined).length
  const counts = `tests="${cases.length}" failures="${failures}" time="${seconds.toFixed(3)}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${escaped(`${name} (${gear})`)}" ${counts}>`,
    '    <properties>',
    `      <property name="seed" value="${escaped(seed)}"/>`,
    `      <property name="again" value="${escaped(again)}"/>`,
    '    </properties>',
    ...cases.flatMap(each => caseLines(`${name} (${gear})`, each)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function caseLines(suite: string, { name, seconds, failure }: ResultCase): string[] {
  const open = `    <testcase classname="${escaped(suite)}" name="${escaped(name)}" time="${seconds.toFixed(3)}"`
  if (failure === undefined) return [`${open}/>`]
  const { id, kind, text } = failure
  return [
    `${open}>`,
    `      <failure type="${escaped(kind)}" message="${escaped(id)}">${escaped(text)}</failure>`,
    '    </testcase>',
  ]
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** What XML can hold: other control characters have no place in it, not even escaped. */
function escaped(text: string): string {
  const signs = Array.from(text, sign => {
    if (sign < ' ' && !'\t\n\r'.includes(sign)) return '?'
    return entities[sign] ?? sign
  })
  return signs.join('')
}
