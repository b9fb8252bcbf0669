import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '@rockpool/protocol'

/** Looks whether the disk takes as much as opening a database may write, by writing it. */
export function spaceOn(folder: string) {
  const file = join(folder, 'space.probe')
  return async (): Promise<void> => {
    try {
      const probe = await open(file, 'w')
      try {
        await probe.writeFile(new Uint8Array(limits.storeMendBytes))
      } finally {
        await probe.close()
      }
    } finally {
      await rm(file, { force: true })
    }
  }
}
