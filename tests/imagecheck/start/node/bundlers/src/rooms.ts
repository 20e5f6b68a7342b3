import limits from "./limits.json" with { type: "json" };

export const nameOf = (room: string) => room.slice(0, limits.name);
