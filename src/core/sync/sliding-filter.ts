/** Which rooms a list of sliding sync is about. spec: MSC4186 (`SlidingRoomFilter`) */

/** Undefined: does not matter. */
export type SlidingFilter = Readonly<{
  isDm?: boolean | undefined
  spaces?: readonly string[] | undefined
  isEncrypted?: boolean | undefined
  isInvited?: boolean | undefined
  /** Null stands for rooms without a type. */
  roomTypes?: readonly (string | null)[] | undefined
  notRoomTypes?: readonly (string | null)[] | undefined
  nameLike?: string | undefined
  tags?: readonly string[] | undefined
  notTags?: readonly string[] | undefined
}>

/** What filters ask about a room; each is looked up only when it is asked. */
export type FilterableRoom = Readonly<{
  isInvited: boolean
  isDm: () => boolean
  isEncrypted: () => boolean
  roomType: () => string | null
  name: () => string
  tags: () => ReadonlySet<string>
  isInSpace: (space: string) => boolean
}>

/** Undefined for a filter that lets everything through. */
export function compileSlidingFilter(filter: SlidingFilter | undefined): ((room: FilterableRoom) => boolean) | undefined {
  if (!filter || Object.values(filter).every((value) => value === undefined)) return undefined
  const { isDm, spaces, isEncrypted, isInvited, roomTypes, notRoomTypes, nameLike, tags, notTags } = filter
  const name = nameLike?.toLowerCase()
  return (room) =>
    (isInvited === undefined || room.isInvited === isInvited) &&
    (isDm === undefined || room.isDm() === isDm) &&
    (isEncrypted === undefined || room.isEncrypted() === isEncrypted) &&
    (roomTypes === undefined || roomTypes.includes(room.roomType())) &&
    !(notRoomTypes?.includes(room.roomType()) ?? false) &&
    (tags === undefined || tags.some((tag) => room.tags().has(tag))) &&
    !(notTags?.some((tag) => room.tags().has(tag)) ?? false) &&
    (spaces === undefined || spaces.some((space) => room.isInSpace(space))) &&
    (name === undefined || room.name().toLowerCase().includes(name))
}
