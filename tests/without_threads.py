"""An event loop's part that does at once what is given to another thread."""


class WithoutThreads:
    """In a day that passes in seconds a third would be handing over; in virtual time no other thread may wait."""

    def run_in_executor(self, _, func, *args):
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever awaits it gets it
            future.set_exception(error)
        return future
