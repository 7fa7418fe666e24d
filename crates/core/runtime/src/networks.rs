//! Tells the engine when a way to the network appears or changes, so that nobody waits out a back-off on a fresh network
//! (R-NET-03, R-NET-04). The kernel says when to look; an idle program is never woken.

use std::sync::Arc;

use crate::owner::Hub;

#[cfg(target_os = "linux")]
pub(crate) async fn watch(hub: Arc<Hub>) {
    use sotto_engine::io::Input;

    use crate::owner::Wake;

    let news = match linux::News::listen() {
        Ok(news) => news,
        Err(error) => {
            tracing::warn!(%error, "the kernel does not tell of networks: looking from time to time");
            linux::News::Clock
        }
    };
    let mut known = linux::Routes::look();
    loop {
        news.next().await;
        let seen = linux::Routes::look();
        if seen != known {
            let there = !seen.is_empty();
            known = seen;
            if there && !hub.wake(Wake::Input(Input::NetworkUp, None)) {
                return;
            }
        }
    }
}

/// Nothing tells of networks there; waiting accounts try again by their own clock.
#[cfg(not(target_os = "linux"))]
pub(crate) async fn watch(_hub: Arc<Hub>) {}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::time::Duration;

    use rustix::net::netlink::SocketAddrNetlink;
    use rustix::net::{AddressFamily, SocketFlags, SocketType};
    use tokio::net::UnixDatagram;
    use tokio::time::sleep;

    /// `RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE` of rtnetlink(7).
    const ROUTES: u32 = 0x40 | 0x400;

    /// Routes come several at once, and not all of them work in the first moment.
    const SETTLE: Duration = Duration::from_millis(300);

    /// More than this at once is left for the next look.
    const MOST_NEWS: usize = 1000;

    /// How often to look where the kernel does not tell; it costs some ten microseconds.
    const LOOK: Duration = Duration::from_secs(10);

    /// Says when it may be worth looking.
    pub(super) enum News {
        Kernel(UnixDatagram),
        Clock,
    }

    impl News {
        pub(super) fn listen() -> io::Result<Self> {
            let socket = rustix::net::socket_with(
                AddressFamily::NETLINK,
                SocketType::RAW,
                SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
                // NETLINK_ROUTE is the protocol of number zero.
                None,
            )?;
            rustix::net::bind(&socket, &SocketAddrNetlink::new(0, ROUTES))?;
            // Received from as from any datagram socket.
            let socket = std::os::unix::net::UnixDatagram::from(socket);
            Ok(Self::Kernel(UnixDatagram::from_std(socket)?))
        }

        pub(super) async fn next(&self) {
            let Self::Kernel(socket) = self else {
                return sleep(LOOK).await;
            };
            if socket.readable().await.is_err() {
                return sleep(LOOK).await;
            }
            sleep(SETTLE).await;
            // What exactly is said does not matter, only that something was. An overrun says so, too.
            let mut buffer = [0; 4096];
            for _ in 0..MOST_NEWS {
                match socket.try_recv(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Ok(_) | Err(_) => {}
                }
            }
        }
    }

    /// Gateways and devices; counters and lifetimes change all the time.
    #[derive(PartialEq, Eq)]
    pub(super) struct Routes(Vec<String>);

    impl Routes {
        pub(super) fn look() -> Self {
            let read = |path| std::fs::read_to_string(path).unwrap_or_default();
            Self::parse(&read("/proc/net/route"), &read("/proc/net/ipv6_route"))
        }

        /// What leads beyond this machine: no loopback device.
        fn parse(v4: &str, v6: &str) -> Self {
            let v4 = v4.lines().skip(1).map(|line| {
                let fields: Vec<&str> = line.split_whitespace().take(3).collect();
                fields.join(" ")
            });
            let v6 = v6.lines().filter_map(|line| {
                let fields: Vec<&str> = line.split_whitespace().collect();
                let device = *fields.last()?;
                // Link-local and multicast say nothing of a way out.
                let target = *fields.first()?;
                (device != "lo" && !target.starts_with("fe80") && !target.starts_with("ff"))
                    .then(|| [target, fields.get(4)?, device].join(" ").into())
                    .flatten()
            });
            let mut all: Vec<String> = v4.chain(v6).collect();
            all.sort();
            Self(all)
        }

        pub(super) fn is_empty(&self) -> bool {
            self.0.is_empty()
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const V4: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\n\
                          eth0\t00000000\t010011AC\t0003\t0\n";

        #[test]
        fn a_gateway_is_a_way_out_and_loopback_is_none() {
            let zero = "0".repeat(32);
            let lo = format!("{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200 lo");
            let local = format!(
                "fe8{} 40 {zero} 00 {zero} 00000100 1 0 1 eth0",
                "0".repeat(29)
            );
            assert!(Routes::parse("Iface\tDestination\n", &format!("{lo}\n{local}\n")).is_empty());
            assert!(!Routes::parse(V4, &lo).is_empty());
        }

        #[test]
        fn counters_are_no_change_and_a_gateway_is_one() {
            let counted = V4.replace("0003\t0", "0003\t9");
            let other = V4.replace("010011AC", "0100A8C0");
            assert!(Routes::parse(V4, "") == Routes::parse(&counted, ""));
            assert!(Routes::parse(V4, "") != Routes::parse(&other, ""));
        }

        #[tokio::test]
        async fn the_kernel_lets_itself_be_listened_to() {
            assert!(matches!(News::listen(), Ok(News::Kernel(_))));
        }
    }
}
