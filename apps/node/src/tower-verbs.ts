import { readFileSync } from 'node:fs'
import { createCrypto } from '@rockpool/adapters/crypto'
import { fromHex } from '@rockpool/protocol'
import { appointmentReceipt, plainHex, recoveryOf, registrationReceipt } from '@rockpool/tower'
import { callNode } from './client.ts'
import { columns } from './columns.ts'
import { exit, Refusal } from './exit.ts'
import { effectiveSettings } from './settings.ts'
import type {
  AppointmentReport,
  TowerInfo,
  TowerUserReport,
  TrackerReport,
  WhyReport,
} from './tower-of.ts'

const usage = `rockpool tower info | users | breaches | deferred
       rockpool tower user <id>
       rockpool tower appointments [locator]
       rockpool tower why|show <locator, uuid or transaction>
       rockpool tower verify-receipt <file>
--json prints the answer as it is.`

/** Names the verbs have elsewhere. */
const aliases: Readonly<Record<string, string>> = {
  gettowerinfo: 'info',
  getallappointments: 'appointments',
  getappointments: 'appointments',
  getusers: 'users',
  getuser: 'user',
  show: 'why',
}

/** `rockpool tower …`: what the running node's watchtower holds, and what became of it. */
export async function towerVerb(args: readonly string[]): Promise<number> {
  const isJson = args.includes('--json')
  const [name = '', ...rest] = args.filter(arg => arg !== '--json')
  const verb = aliases[name] ?? name
  const [first] = rest
  const word = first !== undefined && !first.startsWith('-') ? first : undefined
  const flags = word === undefined ? rest : rest.slice(1)
  const [strange] = flags
  if (strange !== undefined && !strange.startsWith('-'))
    throw new Refusal(exit.usage, `unexpected argument "${strange}"\n${usage}`)
  const call = (method: string, ...params: readonly unknown[]) =>
    callNode(effectiveSettings(flags).paths, method, params)
  const need = (what: string): string => {
    if (word === undefined) throw new Refusal(exit.usage, `tower ${name} wants ${what}`)
    return word
  }
  const print = <T>(answer: T, screen: (answer: T) => string): number => {
    console.log(isJson ? JSON.stringify(answer, null, 2) : screen(answer))
    return exit.done
  }
  switch (verb) {
    case 'info':
      return print((await call('tower_info')) as TowerInfo, infoScreen)
    case 'users':
      return print((await call('tower_users')) as readonly TowerUserReport[], usersScreen)
    case 'user':
      return print(
        (await call('tower_user', need('the id of a user'))) as TowerUserReport,
        userScreen,
      )
    case 'appointments':
      return print(
        (await call('tower_appointments', word)) as readonly AppointmentReport[],
        rowsScreen,
      )
    case 'why':
      return print(
        (await call('tower_explain', need('a locator, a uuid or a transaction'))) as WhyReport[],
        reports => reports.map(whyScreen).join('\n\n'),
      )
    case 'breaches':
      return print((await call('tower_breaches')) as readonly BreachReport[], breachesScreen)
    case 'deferred':
      return print((await call('tower_deferred')) as readonly TrackerReport[], trackersScreen)
    case 'verify-receipt':
      return verifyReceipt(need('a file'))
    default:
      throw new Refusal(exit.usage, `usage: ${usage}`)
  }
}

interface BreachReport {
  readonly atMs: number
  readonly height: number
  readonly disputeTxid: string
  readonly locator: string
  readonly tracked: number
  readonly closed: number
}

function infoScreen(info: TowerInfo): string {
  const rows = Object.entries(info).map(([name, value]) => [
    name.replaceAll('_', ' '),
    Array.isArray(value) ? value.join(' ') : String(value),
  ])
  return columns(rows)
}

function usersScreen(users: readonly TowerUserReport[]): string {
  if (users.length === 0) return 'none'
  return columns([
    ['user', 'slots', 'from', 'until'],
    ...users.map(user => [
      ...[user.user_id, `${user.available_slots}`],
      ...[`${user.subscription_start}`, `${user.subscription_expiry}`],
    ]),
  ])
}

function userScreen(user: TowerUserReport): string {
  return [usersScreen([user]), '', ...(user.appointments ?? [])].join('\n')
}

function rowsScreen(rows: readonly AppointmentReport[]): string {
  if (rows.length === 0) return 'none'
  return columns([
    ['uuid', 'locator', 'phase', 'since', 'slots', 'user'],
    ...rows.map(row => [
      ...[row.uuid, row.locator, row.phase],
      ...[`${row.start_block}`, `${row.slots}`, row.user_id],
    ]),
  ])
}

function whyScreen({ appointment, tracker }: WhyReport): string {
  const { uuid, locator, phase, closed, user_id: user, start_block: start } = appointment
  const head = `appointment ${uuid}\nlocator ${locator}, user ${user}, taken at height ${start}`
  if (closed !== undefined) {
    const seen = closed.disputeTxid === undefined ? '' : `, dispute ${closed.disputeTxid}`
    return `${head}\nclosed at height ${closed.height}: ${closed.reason}${seen}`
  }
  if (tracker === undefined) return `${head}\n${phase}: what it waits for was not seen`
  const reason = tracker.reason === undefined ? '' : ` (${tracker.reason})`
  return [
    head,
    `${tracker.state}${reason} since height ${tracker.since}, sent ${tracker.tries} times`,
    `dispute ${tracker.disputeTxid}${place(tracker.disputeHeight)}`,
    `penalty ${tracker.penaltyTxid}${place(tracker.penaltyHeight)}`,
    ...tracker.story.map(({ height, what }) => `  ${height}  ${what}`),
  ].join('\n')
}

const place = (height: number | undefined): string =>
  height === undefined ? ', in no block' : `, in block ${height}`

function breachesScreen(breaches: readonly BreachReport[]): string {
  if (breaches.length === 0) return 'none since this node started'
  return columns([
    ['at', 'height', 'dispute', 'answered', 'of no use'],
    ...breaches.map(({ atMs, height, disputeTxid, tracked, closed }) => [
      ...[new Date(atMs).toISOString(), `${height}`, disputeTxid, `${tracked}`, `${closed}`],
    ]),
  ])
}

function trackersScreen(trackers: readonly TrackerReport[]): string {
  if (trackers.length === 0) return 'none'
  return columns([
    ['uuid', 'penalty', 'since', 'tries', 'reason'],
    ...trackers.map(({ uuid, penaltyTxid, since, tries, reason = '' }) => [
      ...[uuid, penaltyTxid, `${since}`, `${tries}`, reason],
    ]),
  ])
}

/** A file with a receipt as a client got it: of a registration, or of an appointment with the signature it was asked with. */
interface ReceiptFile {
  readonly tower_id?: string
  readonly user_id?: string
  readonly available_slots?: number
  readonly subscription_start?: number
  readonly subscription_expiry?: number
  readonly subscription_signature?: string
  readonly user_signature?: string
  readonly start_block?: number
  readonly signature?: string
}

/** Offline: who signed this receipt, and whether it is the tower it names. */
async function verifyReceipt(file: string): Promise<number> {
  let receipt: ReceiptFile
  try {
    receipt = JSON.parse(readFileSync(file, 'utf8')) as ReceiptFile
  } catch (cause) {
    throw new Refusal(exit.usage, `${file} is not readable JSON`, { cause })
  }
  const [message, signature] = signedOf(receipt, file)
  const crypto = await createCrypto({ workers: 0 })
  const job = recoveryOf(crypto.sha256, message, signature)
  const [key] = job === undefined ? [] : await crypto.recoverKeys([job])
  await crypto.close()
  const signer = key && plainHex(key)
  if (signer === undefined) throw new Refusal(exit.no, 'the signature is none')
  if (receipt.tower_id !== undefined && receipt.tower_id.toLowerCase() !== signer)
    throw new Refusal(exit.no, `signed by ${signer}, not by ${receipt.tower_id}`)
  console.log(`signed by ${signer}`)
  return exit.done
}

function signedOf(receipt: ReceiptFile, file: string): [Uint8Array, string] {
  const { user_id: user, available_slots: slots, subscription_start: start } = receipt
  const { subscription_expiry: expiry, subscription_signature: under } = receipt
  if (user && slots !== undefined && start !== undefined && expiry !== undefined && under)
    return [registrationReceipt({ user: fromHex(`0x${user}`), slots, start, expiry }), under]
  const { user_signature: asked, start_block: block, signature } = receipt
  if (asked && block !== undefined && signature)
    return [appointmentReceipt(asked, block), signature]
  throw new Refusal(
    exit.usage,
    `${file} has no receipt: a registration as it was answered, or user_signature, start_block and signature`,
  )
}
