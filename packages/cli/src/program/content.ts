import { type Command } from 'commander'
import type { Run } from '../program.ts'
import { examples, wholeNumber } from './parse.ts'

/** Commands about content. */
export function contentCommands(program: Command, run: Run): void {
  program
    .command('add')
    .description('store files and folders, and print their CIDs')
    .argument('[path...]', 'files and folders; "-" or nothing: stdin')
    .option('--stay', 'serve the content to others until Ctrl-C')
    .option('--provide', 'put provider records out before it ends')
    .option('--hidden', 'hidden files of folders, too')
    .option('--skip-others', 'leave out symlinks, and what else is neither file nor folder')
    .addHelpText(
      'after',
      examples(
        ['p2pl add photo.jpg', 'one file'],
        ['p2pl add --stay photos/', 'a folder, for others to get'],
        ['tar c src | p2pl add', 'from a pipe']
      )
    )
    .action(run(async () => (await import('../commands/add.ts')).add))
  program
    .command('get')
    .description('fetch content, check it, and write it to stdout, a file or a folder')
    .argument('<path>', 'a CID, or the CID of a folder and a path in it: <cid>/docs/a.txt')
    .option('-o, --output <path>', 'a file or folder; a folder that was fetched in part is completed')
    .option('-f, --force', 'replace a file that is there')
    .addHelpText(
      'after',
      examples(
        ['p2pl get <cid>', 'to stdout'],
        ['p2pl get <cid> -o photo.jpg', 'to a file'],
        ['p2pl get <cid> -o photos', 'a folder'],
        ['p2pl get <cid>/a.tar | tar x', 'one file of a folder, to a pipe']
      )
    )
    .action(run(async () => (await import('../commands/get.ts')).get))
  program
    .command('ls')
    .description('list a folder by its CID')
    .argument('<path>', 'a CID, or the CID of a folder and a path in it')
    .addHelpText(
      'after',
      examples(
        ['p2pl ls <cid>', ''],
        ['p2pl ls <cid>/docs', 'a folder in it'],
        ['p2pl --json ls <cid>', 'one JSON object for each entry']
      )
    )
    .action(run(async () => (await import('../commands/ls.ts')).ls))
  pins(program, run)
  program
    .command('provide')
    .description('tell the network that this peer has content, and serve it until Ctrl-C')
    .argument('<cid...>')
    .option('--once', 'end as soon as the provider records are out')
    .addHelpText(
      'after',
      examples(['p2pl provide <cid>', ''], ['p2pl provide --once <cid>', 'where a daemon serves the content'])
    )
    .action(run(async () => (await import('../commands/provide.ts')).provide))
  program
    .command('providers')
    .description('find peers that say they have content')
    .argument('<cid>')
    .option('--limit <number>', 'at most this many', wholeNumber(1), 20)
    .addHelpText('after', examples(['p2pl providers <cid>', '']))
    .action(run(async () => (await import('../commands/providers.ts')).providers))
  program
    .command('magnet')
    .description('give a magnet link of stored content, or import a torrent (needs --backend bittorrent)')
    .argument('<cid|link|file>', 'a CID, a magnet link, or a .torrent file')
    .option('--stay', 'serve it until Ctrl-C')
    .addHelpText(
      'after',
      examples(
        ['p2pl --backend bittorrent magnet --stay <cid>', 'any BitTorrent client can fetch it'],
        ['p2pl --backend bittorrent magnet linux.torrent', 'import its file']
      )
    )
    .action(run(async () => (await import('../commands/magnet.ts')).magnet))
}

function pins(program: Command, run: Run): void {
  const pin = program
    .command('pin')
    .description('keep content, and list what is kept')
    .addHelpText(
      'after',
      examples(
        ['p2pl pin add <cid>', 'fetch all of it, and keep it'],
        ['p2pl pin rm <cid>', 'let it go'],
        ['p2pl pin ls', '']
      )
    )
  pin
    .command('add')
    .description('fetch content, and keep it')
    .argument('<cid...>')
    .option('--direct', 'only the block itself, without those below it')
    .action(run(async () => (await import('../commands/pin.ts')).pinAdd))
  pin
    .command('rm')
    .description('end a pin; the content stays until garbage is collected')
    .argument('<cid...>')
    .action(run(async () => (await import('../commands/pin.ts')).pinRemove))
  pin
    .command('ls')
    .description('list the pins')
    .action(run(async () => (await import('../commands/pin.ts')).pinList))
}
