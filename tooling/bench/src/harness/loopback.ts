import { readFileSync } from 'node:fs'
import { Namespace } from '@p2pl/tooling-netlab'

export interface Traffic {
  readonly bytes: number
  readonly packets: number
}

/** A loopback interface used only by the processes of one side, so that its counters belong to them. */
export class Loopback {
  readonly #namespace: Namespace

  private constructor(namespace: Namespace) {
    this.#namespace = namespace
  }

  /**
   * Returns `undefined` where the machine does not allow network namespaces. Then bytes on the wire are not measured,
   * rather than guessed.
   */
  static async open(): Promise<Loopback | undefined> {
    let namespace: Namespace
    try {
      namespace = await Namespace.open()
    } catch {
      return undefined
    }
    try {
      await namespace.run('ip', 'link', 'set', 'lo', 'up')
      return new Loopback(namespace)
    } catch {
      await namespace.close()
      return undefined
    }
  }

  /** The command line that runs a command on this interface. */
  inside(...words: string[]): string[] {
    return this.#namespace.inside(...words)
  }

  /** The traffic that was sent since the interface exists, headers included. */
  traffic(): Traffic {
    return sentOverLoopback(readFileSync(`/proc/${this.#namespace.pid}/net/dev`, 'utf8'))
  }

  async close(): Promise<void> {
    await this.#namespace.close()
  }
}

/** Parses the kernel's table: after the name come eight figures of received data, then the sent bytes and packets. */
export function sentOverLoopback(table: string): Traffic {
  const fields = /^\s*lo:\s*(.*)$/m.exec(table)?.[1]?.trim().split(/\s+/) ?? []
  return { bytes: Number(fields[8] ?? 0), packets: Number(fields[9] ?? 0) }
}
