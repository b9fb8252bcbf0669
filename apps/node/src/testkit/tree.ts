import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Every path below a folder with its mode and, of a file, its time and content: two equal answers mean that nothing was touched. */
export function treeOf(root: string): Record<string, string> {
  const tree: Record<string, string> = {}
  const walk = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name)
      const { mode, mtimeMs } = lstatSync(path)
      const isFolder = lstatSync(path).isDirectory()
      const rest = isFolder ? '' : ` ${mtimeMs} ${contentOf(path)}`
      tree[relative(root, path)] = `${mode.toString(8)}${rest}`
      if (isFolder) walk(path)
    }
  }
  walk(root)
  return tree
}

function contentOf(path: string): string {
  return lstatSync(path).isFile() ? readFileSync(path, 'base64') : ''
}
