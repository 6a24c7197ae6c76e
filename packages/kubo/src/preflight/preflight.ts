import { type AbortOptions } from '@p2pl/core/backend'
import { checkDaemonOptions } from '../daemon/check-options.ts'
import { type KuboOptions, parseOptions } from '../options.ts'
import { Transport } from '../rpc/transport.ts'
import type { PreflightCheck } from './check.ts'
import { checkDaemon } from './daemon.ts'
import { checkBinary, checkRepo } from './machine.ts'
import { Probe } from './probe.ts'

const timeout = 5_000

/**
 * Checks the daemon without changing anything. Reports what is there, what is missing, and the command that fixes it.
 * It probes features; an old version alone never fails. Rejects only for wrong options.
 */
export async function preflight(options: KuboOptions & AbortOptions = {}): Promise<PreflightCheck[]> {
  const { signal, daemon, ...rest } = options
  if (daemon !== undefined) {
    checkDaemonOptions(daemon)
    return await Promise.all([checkBinary(daemon.binary), checkRepo(daemon.repo)])
  }
  const { target, pubsub } = parseOptions(rest)
  const rpc = new Transport(timeout)
  try {
    if (target !== undefined) await rpc.open(target)
    return await checkDaemon(new Probe(rpc, timeout, signal), pubsub)
  } finally {
    rpc.close()
  }
}
