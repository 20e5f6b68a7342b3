import { randomUUID } from "node:crypto";
import { v7 } from "uuid";
import { WebSocketServer } from "ws";
import { z } from "zod";
import { nameOf } from "./rooms.js";

const Event = z.object({ room: z.string() });
const server = new WebSocketServer({ noServer: true });

export const handler = async (event: unknown) => {
  const { room } = Event.parse(event);
  const { greeting } = await import("./late.js");
  return { id: v7(), name: greeting(nameOf(room)), players: server.clients.size, key: randomUUID() };
};
