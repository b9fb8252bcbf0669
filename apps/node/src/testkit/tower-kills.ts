import { setTimeout as sleep } from 'node:timers/promises'
import { createTowerClient, towerAddress, u32be } from '@rockpool/tower/testkit/outside'
import { until } from './devnet.ts'
import { freePorts } from './free-ports.ts'
import { createScratch, quietFlags } from './scratch.ts'

export interface KillReport {
  /** Appointments the tower has given a receipt for, over all its lives. */
  readonly receipts: number
  /** Of those, locators it did not know after a start. */
  readonly lost: readonly string[]
}

const senders = 8
const payload = new Uint8Array(120)

/**
 * Kills a tower again and again while clients hand appointments to it, at another moment of the load each time. After each start it is asked
 * for everything; what it has given a receipt for must be there.
 */
export async function killUnderAdds(kills: number): Promise<KillReport> {
  const scratch = createScratch()
  try {
    const [port = 0] = await freePorts(1)
    const datadir = scratch.folder('tower')
    const flags = [
      ...[...quietFlags, '--tower.enabled', '--tower.api_port', String(port)],
      ...['--tower.adds-per-user', '100000', '--tower.reads-per-user', '100000'],
      ...['--tower.subscription_slots', '1000000'],
    ]
    const client = createTowerClient(new Uint8Array(32).fill(0x33))
    const lost = new Set<string>()
    let made = 0

    async function load(isOver: () => boolean): Promise<void> {
      while (!isOver()) {
        made += 1
        const disputeTxid = new Uint8Array(32)
        disputeTxid.set(u32be(made))
        await client.revoke({ disputeTxid, penalty: payload })
      }
    }

    let receipts: ReadonlyMap<string, unknown> = new Map()
    for (let kill = 0; kill <= kills; kill += 1) {
      const node = scratch.run(datadir, flags)
      const { tower: shown = '' } = await node.ready()
      const address = towerAddress(shown)
      let locators: unknown
      await until('the tower answers', async () => {
        try {
          if (!client.towers.has(address.id)) await client.register(address)
          locators = (await client.getSubscription(address)).locators
          return true
        } catch {
          return false
        }
      })
      const tower = client.towers.get(address.id)
      if (tower === undefined) throw new Error('no tower')
      receipts = tower.receipts
      const known = new Set(locators as readonly string[])
      for (const locator of receipts.keys()) if (!known.has(locator)) lost.add(locator)
      if (kill === kills) {
        await node.kill('SIGTERM')
        break
      }
      // What was under way when it died is sent again, as a client would.
      await client.retry(tower, { withinMs: 5_000 })
      const before = receipts.size
      let isOver = false
      const sending = Array.from({ length: senders }, () => load(() => isOver))
      await until('it has taken some', () => receipts.size > before + 5)
      await sleep((kill * 37) % 200)
      const gone = node.kill('SIGKILL')
      isOver = true
      await Promise.all([...sending, gone])
    }
    return { receipts: receipts.size, lost: [...lost] }
  } finally {
    await scratch.close()
  }
}
