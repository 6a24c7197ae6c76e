import { readFileSync } from 'node:fs'
import { Namespace } from '@p2pl/tooling-netlab'

export interface Traffic {
  readonly bytes: number
  readonly packets: number
}

/** A loopback interface that only the processes of one side are on, so that its counters are theirs. */
export class Loopback {
  readonly #namespace: Namespace

  private constructor(namespace: Namespace) {
    this.#namespace = namespace
  }

  /** Nothing where the machine does not allow network namespaces: then nobody guesses how many bytes went over the wire. */
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

  /** The words of a command that runs on this interface. */
  inside(...words: string[]): string[] {
    return this.#namespace.inside(...words)
  }

  /** What was sent, headers included, since the interface exists. */
  traffic(): Traffic {
    return sentOverLoopback(readFileSync(`/proc/${this.#namespace.pid}/net/dev`, 'utf8'))
  }

  async close(): Promise<void> {
    await this.#namespace.close()
  }
}

/** From the kernel's table: behind the name stand eight figures of what was received, then bytes and packets sent. */
export function sentOverLoopback(table: string): Traffic {
  const fields = /^\s*lo:\s*(.*)$/m.exec(table)?.[1]?.trim().split(/\s+/) ?? []
  return { bytes: Number(fields[8] ?? 0), packets: Number(fields[9] ?? 0) }
}
