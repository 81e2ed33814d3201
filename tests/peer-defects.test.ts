import { describe, expect, test } from 'bun:test'

/**
 * Defects that other servers have admitted, by number, and the tests that would find them here: the file, and the
 * beginning of the name. Those that cannot occur say why.
 */
type Held = readonly (readonly [file: string, name: string])[]

const HELD: Readonly<Record<number, readonly [defect: string, held: Held | string]>> = {
  1: ['an event of another room was served by its id', [['client/room-event', 'an event is found in its own room only'], ['client/relations', 'does not reach into another room']]],
  2: ['jump to date did not ask who may see', [['client/timestamp-to-event', 'passes over what the reader may not see'], ['client/timestamp-to-event', 'finds nothing beyond the ends, and refuses strangers']]],
  3: ['any password satisfied a challenge', [['http/uia', 'takes no password at all of an account that has none'], ['http/uia', 'takes nobody’s password but the requester’s']]],
  4: ['signatures that do not verify were kept', [['client/cross-signing', 'what does not verify is listed and not kept']]],
  5: ['the last step of a password reset needed a token', 'mail addresses prove nothing here yet'],
  6: ['one proof made several accounts', [['client/registration', 'a session makes one account only'], ['client/registration', 'one use makes one account']]],
  7: ['secrets were shown with the configuration', [['cli/tools', 'prints no secret, in neither form']]],
  8: ['a push that was refused counted as delivered', 'nothing is sent to push gateways yet'],
  9: ['the badge never came back to zero', 'nothing is sent to push gateways yet'],
  10: ['two locks were taken in opposite order', 'an actor never waits for an actor'],
  11: ['a failed write broke every sync until a restart', [['actors/kernel/committer', 'gives its positions again without a gap, and the house goes on']]],
  12: ['a restore ran again at the next start', 'there is no restore'],
  13: ['a database that could not be read was deleted', [['store/damage', '%s is named at start and left as it is'], ['store/prepare-database', 'stays as it was when a migration fails']]],
  14: ['a short id was given twice', [['store/names', 'what a rolled back transaction has named is forgotten with it'], ['store/names', 'a name has one number for ever']]],
  15: ['a truncated auth chain was kept', 'other servers: no auth chain is fetched yet'],
  16: ['a soft-failed event left a room without extremities', 'other servers: no event of theirs is taken yet'],
  17: ['a soft-failed event changed the state', 'other servers: no event of theirs is taken yet'],
  18: ['the own server was subject to its own list of servers', 'other servers: none is spoken with yet'],
  19: ['words of a search were taken for its syntax', [['core/search-words', 'words alone, whatever stands between them'], ['core/search-words', 'takes any text for a term']]],
  20: ['an upload waited for itself', 'no media are taken yet'],
  21: ['a count of zero one-time keys was left out', [['client/keys', 'G-69: counts one-time keys in every answer, zero included']]],
  22: ['rooms that could not be read vanished from sliding sync', 'a read that fails ends the request with an error, and hides nothing'],
  23: ['a long poll outlived its client', [['client/long-polls', 'ends when its client goes away']]],
  24: ['receipts moved back', [['client/receipts', 'G-90: never move back'], ['client/unread', 'G-90: an older receipt brings nothing back']]],
  25: ['rooms whose ids begin alike shared receipts', 'rooms are numbers in every table'],
  26: ['former members saw no history', [['client/messages', 'who has left sees nothing that came after']]],
  27: ['the same state again was another event', [['client/room-state', 'G-74: the same content twice is one event']]],
  28: ['a push rule behind the last one made it fail', [['core/push-rules/ruleset', 'puts it last']]],
  29: ['the context of a search had no bound', [['client/search', 'have five events around them where no number is named, and few even where a great one is']]],
  30: ['transaction ids were told in bundled edits', [['client/relations', 'tell a transaction id to the device that sent them and to no other']]],
  31: ['content types were compared by case', 'no media are taken yet'],
  32: ['a 401 of another server logged the client out', 'other servers: none is asked yet'],
  33: ['guests got credentials for calls', [['client/voip', 'are for guests only where the configuration lets them']]],
  34: ['an old SRV record beat the well-known file', 'other servers: none is looked for yet'],
  35: ['a database was opened under another name', [['store/prepare-database', 'a database of another server']]],
  36: ['spaces that hold each other were an error', [['client/spaces', 'breaks cycles and shows every room once']]],
  37: ['syncs of one account woke each other', [['client/long-polls', 'is not woken by another of the same account']]],
  38: ['a migration deactivated accounts', [['store/prepare-database', 'is copied and then upgraded'], ['store/projections', 'gives the same table %s']]],
  39: ['rooms that were left were worked on, and users came back', 'other servers: no event of theirs is taken yet'],
  40: ['several events of one room in a transaction were lost', 'other servers: no event of theirs is taken yet'],
  41: ['a damaged row kept the server from starting', [['store/damage', '%s is named at start and left as it is']]],
  42: ['a space in front hid a command of the admin', 'commands are words of a shell, in no room'],
  43: ['invites of ignored users were shown', [['http/invites', 'G-71: of an ignored user is not shown'], ['client/sliding-sync', 'G-71: an invitation by somebody who is ignored is not shown']]],
  44: ['a configuration that was refused was said to be read', [['process/listen', 'changes its certificate while it listens, and keeps the old one when the new one is bad']]],
}

const held = Object.entries(HELD).flatMap(([number, [defect, tests]]) =>
  typeof tests === 'string' ? [] : tests.map(([file, name]) => [number, defect, file, name] as const))

describe('a defect of another server', () => {
  test.each(held)('%s (%s) would be found by %s: %s', async (_number, _defect, file, name) => {
    const text = await Bun.file(`${import.meta.dir}/${file}.test.ts`).text()
    expect(text).toContain(`'${name}`)
  })

  test('is missing from the list in no place', () => {
    expect(Object.keys(HELD)).toEqual(Array.from({ length: 44 }, (_, index) => String(index + 1)))
  })
})
