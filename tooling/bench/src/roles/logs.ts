import { join } from 'node:path'
import { type Child, startChild } from '../harness/child.ts'
import type { Context } from '../harness/scenario.ts'
import type { LogNode } from './log.ts'
import type { NodeOptions } from './node.ts'
import type { Competitor } from './nodes.ts'
import type { ViewNode, ViewOptions } from './view.ts'

/** The payload of one entry, so that the entry has some 300 bytes. */
export const payloadBytes = 150
export const entryBytes = 300
/** The number of concurrent `append` calls. */
export const atOnce = 256

let folders = 0

/** A peer with an empty log, of any stack that has logs. */
export function startLog(of: Competitor, context: Context): Promise<Child<LogNode>> {
  if (of.stack === 'p2pl') return startView(of, context)
  const options: NodeOptions = { stack: of.stack, options: { folder: join(context.folder, `log-${folders++}`) } }
  return startChild<LogNode>(new URL('./log.ts', import.meta.url), options, context)
}

/** A peer with an empty view. */
export function startView({ backend = 'helia' }: Competitor, context: Context): Promise<Child<ViewNode>> {
  const options: ViewOptions = { backend, folder: join(context.folder, `view-${folders++}`) }
  return startChild<ViewNode>(new URL('./view.ts', import.meta.url), options, context)
}

/** A peer with a log of this many entries. */
export async function startSource(
  of: Competitor,
  count: number,
  authors: number,
  context: Context
): Promise<Child<LogNode>> {
  const source = await startLog(of, context)
  await source.call.append(count, payloadBytes, atOnce, authors)
  return source
}
