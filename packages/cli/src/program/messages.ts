import { type Command, Option } from 'commander'
import type { Run } from '../program.ts'
import { examples, wholeNumber } from './parse.ts'

/** Commands about messages and peers. */
export function messageCommands(program: Command, run: Run): void {
  program
    .command('pub')
    .description('publish a message, or each line of stdin')
    .argument('<topic>')
    .argument('[message]')
    .option('--recipients <number>', 'how many peers must be handed it; 0: those that are there', wholeNumber(0), 1)
    .option('--raw', 'bare bytes without an envelope, for subscribers of other programs')
    .addHelpText(
      'after',
      examples(['p2pl pub news hello', 'one message'], ['tail -f app.log | p2pl pub logs', 'each line'])
    )
    .action(run(async () => (await import('../commands/pub.ts')).pub))
  program
    .command('sub')
    .description('print the messages of topics, one a line')
    .argument('<topic...>')
    .option('-n, --count <number>', 'end after this many messages', wholeNumber(1))
    .option('--sender', 'the id of the sender before each message')
    .option('--raw', 'bare bytes of any publisher, without senders and gaps')
    .addHelpText(
      'after',
      examples(
        ['p2pl sub news', 'until Ctrl-C'],
        ['p2pl sub -n 1 news', 'the next message'],
        ['p2pl --json sub news', 'with sender, sequence number and id']
      )
    )
    .action(run(async () => (await import('../commands/sub.ts')).sub))
  program
    .command('room')
    .description('join a room and chat, line by line')
    .argument('<name>')
    .option('--name <name>', 'your name in the room; default: that of your account on this machine')
    .addOption(new Option('--secret <text>', 'encrypts the room: only those who have it meet').conflicts('private'))
    .option('--private', 'make a new secret, and print it')
    .option('--history <number>', 'how many messages are kept for latecomers', wholeNumber(0), 100)
    .addHelpText(
      'after',
      examples(
        ['p2pl room tools --name Ann', ''],
        ['p2pl room tools --private', 'prints the command with which others join']
      )
    )
    .action(run(async () => (await import('../commands/room.ts')).room))
  program
    .command('topics')
    .description('who is on these topics; without a name: the topics of your other terminals')
    .argument('[topic...]')
    .addHelpText('after', examples(['p2pl topics', ''], ['p2pl topics news', 'the peers of one topic']))
    .action(run(async () => (await import('../commands/topics.ts')).topics))
  program
    .command('peers')
    .description('the addresses of this peer, and the peers that it is connected to')
    .addHelpText('after', examples(['p2pl peers', ''], ['p2pl --json peers', 'with "self", which --connect takes']))
    .action(run(async () => (await import('../commands/peers.ts')).peers))
  program
    .command('connect')
    .description('try whether peers can be reached')
    .argument('<address...>', 'in the form that "p2pl peers" prints')
    .addHelpText('after', examples(['p2pl connect /ip4/192.0.2.1/tcp/4001/p2p/12D3KooW…', '']))
    .action(run(async () => (await import('../commands/connect.ts')).connect))
}
