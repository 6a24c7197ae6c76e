import { ensureGoTool, type GoTool, goToolObstacle, type GoToolUnavailableError } from '@p2pl/tooling-go-tool'
import { join } from 'node:path'

export const kubo: GoTool = {
  name: 'Kubo',
  folder: join(import.meta.dirname, '..'),
  module: 'github.com/ipfs/kubo',
  command: 'github.com/ipfs/kubo/cmd/ipfs',
  binary: 'ipfs',
  variable: 'KUBO_BINARY',
  args: ['-tags', 'nofuse'],
  takes: 'three to four minutes on two cores'
}

/** The path of a Kubo binary: `KUBO_BINARY` if it is set, otherwise the pinned version, built on first use into a cache. */
export async function ensureKubo(options?: Parameters<typeof ensureGoTool>[1]): Promise<string> {
  return await ensureGoTool(kubo, options)
}

/** The reason why {@link ensureKubo} would fail, found without building; `undefined` if it could try. */
export async function kuboObstacle(): Promise<GoToolUnavailableError | undefined> {
  return await goToolObstacle(kubo)
}
