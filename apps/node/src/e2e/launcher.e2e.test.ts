import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { call, checkout, type Devnet, startDevnet, until } from '../testkit/devnet.ts'

/* The launcher and its nodes live and die together, however the launcher dies. */

const name = 'e2e-launcher'
const file = join(checkout, '.devnet', name, 'network.json')
let devnet: Devnet | undefined

afterAll(async () => {
  await devnet?.stop()
})

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const up = async (nodes: number): Promise<Devnet> => {
  devnet = await startDevnet(name, ['--nodes', `${nodes}`, '--block', '1s'])
  return devnet
}

test('killed with SIGKILL leaves no node behind, and the next one starts as if nothing had been', async () => {
  const first = await up(2)
  first.launcher.kill('SIGKILL')
  await until(
    'the orphans have drained',
    () => first.network.nodes.every(({ pid }) => !isAlive(pid)),
    15_000,
  )

  const second = await up(1)

  expect(second.network.genesisHash).not.toBe(first.network.genesisHash)
  for (const { pid, rpc, tower = '' } of second.network.nodes) {
    expect(isAlive(pid)).toBe(true)
    const [id = '', host] = tower.split('@')
    expect(id).toMatch(/^0[23][0-9a-f]{64}$/)
    expect((await fetch(`http://${host}/ping`)).status).toBe(200)
    expect(await call(rpc, 'eth_chainId')).toBe('0x539')
  }
})

test('a second one of the same name is refused and disturbs nothing', async () => {
  await expect(startDevnet(name)).rejects.toThrow(
    `devnet "${name}" is already running (pid ${devnet?.launcher.pid})`,
  )

  for (const { rpc } of devnet?.network.nodes ?? [])
    expect(await call(rpc, 'eth_chainId')).toBe('0x539')
})

test('SIGINT ends it with 0, all nodes gone and network.json with them', async () => {
  const running = devnet
  devnet = undefined

  expect(await running?.stop()).toBe(0)
  expect(running?.output()).toContain('all nodes stopped')
  expect(running?.network.nodes.filter(({ pid }) => isAlive(pid))).toEqual([])
  expect(existsSync(file)).toBe(false)
})
